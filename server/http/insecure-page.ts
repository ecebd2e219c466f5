import type { Language } from '../../api/schemas.ts'
import { LANGUAGES } from '../../api/schemas.ts'
import Negotiator from 'negotiator'

interface Text {
  title: string
  why: string
  how: string[]
}

const TEXTS: Record<Language, Text> = {
  en: {
    title: 'This connection is not encrypted',
    why: 'Everybody on this network could read your password, so Latchkey does not offer sign-in here.',
    how: [
      'Open this console with https instead of http, if an encrypted address was set up.',
      'Or use the browser of the machine that Latchkey runs on.',
      'Or let a reverse proxy with a certificate stand in front of Latchkey (--trusted-proxy, --public-url).',
      'Whoever starts Latchkey can allow this with --insecure-http; everybody will then see a red bar.',
    ],
  },
  de: {
    title: 'Diese Verbindung ist nicht verschlüsselt',
    why: 'Alle in diesem Netz könnten Ihr Passwort mitlesen. Deshalb bietet Latchkey hier keine Anmeldung an.',
    how: [
      'Öffnen Sie diese Konsole mit https statt http, falls eine verschlüsselte Adresse eingerichtet ist.',
      'Oder verwenden Sie den Browser des Rechners, auf dem Latchkey läuft.',
      'Oder stellen Sie einen Reverse-Proxy mit Zertifikat vor Latchkey (--trusted-proxy, --public-url).',
      'Wer Latchkey startet, kann es mit --insecure-http erlauben; dann sehen alle einen roten Balken.',
    ],
  },
  ru: {
    title: 'Это соединение не зашифровано',
    why: 'Любой в этой сети мог бы прочитать ваш пароль, поэтому Latchkey не предлагает здесь вход.',
    how: [
      'Откройте консоль по https вместо http, если зашифрованный адрес настроен.',
      'Или используйте браузер на компьютере, где работает Latchkey.',
      'Или поставьте перед Latchkey обратный прокси с сертификатом (--trusted-proxy, --public-url).',
      'Тот, кто запускает Latchkey, может разрешить это ключом --insecure-http; тогда все увидят красную полосу.',
    ],
  },
  'zh-CN': {
    title: '此连接未加密',
    why: '此网络中的任何人都可能读取您的密码，因此 Latchkey 不在此提供登录。',
    how: [
      '如果已设置加密地址，请用 https 而不是 http 打开此控制台。',
      '或者使用运行 Latchkey 的电脑上的浏览器。',
      '或者在 Latchkey 前面放置带证书的反向代理（--trusted-proxy、--public-url）。',
      '启动 Latchkey 的人可以用 --insecure-http 允许此连接；所有人都会看到红色提示条。',
    ],
  },
}

/** The page that says why sign-in is refused and what to do. Without scripts, so that it needs nothing else of us. */
export function insecurePage(acceptLanguage: string): string {
  const [wanted = 'en'] = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).languages([...LANGUAGES])
  const language = LANGUAGES.find((known) => known === wanted) ?? 'en'
  const { title, why, how } = TEXTS[language]
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>
:root{color-scheme:light dark;font:1rem/1.6 system-ui,sans-serif}
body{max-width:40rem;margin:10vh auto;padding:0 1.5rem}
h1{font-size:1.5rem;border-inline-start:.4rem solid #c62828;padding-inline-start:1rem}
</style>
<main><h1>${title}</h1><p>${why}</p><ul>${how.map((line) => `<li>${line}</li>`).join('')}</ul></main>
</html>
`
}
