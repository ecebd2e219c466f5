import { shallowRef } from 'vue'
import { useText } from './use-text.ts'

type Parser = (agent: string) => { browser: string | undefined; os: string | undefined }
const parser = shallowRef<Parser>()

/** “Firefox on Windows” from a user agent; the parser arrives after the page. */
export function useDeviceLabel() {
  const { t } = useText()
  void load()

  function device(agent: string): string {
    const { browser, os } = parser.value?.(agent) ?? {}
    if (browser && os) return t('account.device', { browser, os })
    return browser || os || t('account.unknownDevice')
  }

  function place(ip: string): string {
    return /^(127\.|::1$|::ffff:127\.)/.test(ip) ? t('account.thisMachine') : ip
  }

  return { device, place }
}

async function load(): Promise<void> {
  if (parser.value) return
  const { default: bowser } = await import('bowser')
  parser.value = (agent) => {
    if (!agent) return { browser: undefined, os: undefined }
    const { browser, os } = bowser.parse(agent)
    return { browser: browser.name, os: os.name }
  }
}
