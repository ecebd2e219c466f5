import type { Language } from '../../api/schemas.ts'
import { escapeHtml } from './html.ts'
import { negotiatedLanguage } from './negotiated-language.ts'

interface Text {
  title: string
  why: string
  /** What stands before the encrypted address, and the link that helps whose browser warns there. */
  open: string
  trust: string
  how: string[]
}

const TEXTS: Record<Language, Text> = {
  en: {
    title: 'This connection is not encrypted',
    why: 'Everybody on this network could read your password, so Latchkey does not offer sign-in here.',
    open: 'Open the encrypted address:',
    trust: 'If the browser warns there: let this device trust this Latchkey.',
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
    open: 'Öffnen Sie die verschlüsselte Adresse:',
    trust: 'Wenn der Browser dort warnt: Lassen Sie dieses Gerät diesem Latchkey vertrauen.',
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
    open: 'Откройте зашифрованный адрес:',
    trust: 'Если браузер там предупреждает: настройте на этом устройстве доверие к этому Latchkey.',
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
    open: '请打开加密地址：',
    trust: '如果浏览器在那里警告：让此设备信任此 Latchkey。',
    how: [
      '如果已设置加密地址，请用 https 而不是 http 打开此控制台。',
      '或者使用运行 Latchkey 的电脑上的浏览器。',
      '或者在 Latchkey 前面放置带证书的反向代理（--trusted-proxy、--public-url）。',
      '启动 Latchkey 的人可以用 --insecure-http 允许此连接；所有人都会看到红色提示条。',
    ],
  },
}

/**
 * The page that says why sign-in is refused and what to do. Without scripts, so that it needs nothing else of us. `secure`
 * is the encrypted address under the name that the visitor used, where there is one.
 */
export function insecurePage(acceptLanguage: string, secure: string | undefined): string {
  const language = negotiatedLanguage(acceptLanguage)
  const { title, why, how, open, trust } = TEXTS[language]
  const address = escapeHtml(secure ?? '')
  const ways =
    secure === undefined ? how : [`${open} <a href="${address}">${address}</a>`, `<a href="/trust">${trust}</a>`]
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>
:root{color-scheme:light dark;font:1rem/1.6 system-ui,sans-serif;overflow-wrap:anywhere;background:light-dark(#fff,#121212);color:light-dark(#1a1a1a,#eee)}
a{color:light-dark(#0b57a4,#8ab4f8)}
body{max-width:40rem;margin:10vh auto;padding:0 1.5rem}
h1{font-size:1.5rem;border-inline-start:.4rem solid #c62828;padding-inline-start:1rem}
</style>
<main><h1>${title}</h1><p>${why}</p><ul>${ways.map((line) => `<li>${line}</li>`).join('')}</ul></main>
</html>
`
}
