import { createI18n } from 'vue-i18n'
import type { Language } from '../../api/schemas.ts'
import type { ErrorTexts } from '../../api/texts/en.ts'
import type { Texts } from './en.ts'

/** As in `api/`, written again because importing a value from there would bring the schemas along. */
export const LANGUAGES = ['en', 'zh-CN', 'ru', 'de'] as const satisfies readonly Language[]

export type Messages = Texts & { error: ErrorTexts }

/** One chunk for each language: only the chosen one travels. */
const loaders: Record<Language, () => Promise<Messages>> = {
  en: async () => {
    const [page, errors] = await Promise.all([import('./en.ts'), import('../../api/texts/en.ts')])
    return { ...page.en, error: errors.en }
  },
  'zh-CN': async () => {
    const [page, errors] = await Promise.all([import('./zh-CN.ts'), import('../../api/texts/zh-CN.ts')])
    return { ...page.zhCN, error: errors.zhCN }
  },
  ru: async () => {
    const [page, errors] = await Promise.all([import('./ru.ts'), import('../../api/texts/ru.ts')])
    return { ...page.ru, error: errors.ru }
  },
  de: async () => {
    const [page, errors] = await Promise.all([import('./de.ts'), import('../../api/texts/de.ts')])
    return { ...page.de, error: errors.de }
  },
}

/** The languages' own names for themselves. */
export const LANGUAGE_NAMES: Record<Language, string> = {
  en: 'English',
  'zh-CN': '简体中文',
  ru: 'Русский',
  de: 'Deutsch',
}

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackWarn: false,
  missingWarn: false,
  messages: {},
  pluralRules: { ru: russianPlural },
})

export async function loadLanguage(language: Language): Promise<void> {
  const messages = await loaders[language]()
  i18n.global.setLocaleMessage(language, messages)
  i18n.global.locale.value = language
  document.documentElement.lang = language
}

export function isLanguage(value: unknown): value is Language {
  return LANGUAGES.some((language) => language === value)
}

/** The best of our languages for a browser's list of wishes. */
export function matchLanguage(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    const base = wish.toLowerCase().split('-')[0]
    const match = LANGUAGES.find((language) => language.toLowerCase().split('-')[0] === base)
    if (match) return match
  }
  return 'en'
}

/** Forms: one | few | many; with four, the first is for none. */
function russianPlural(count: number, forms: number): number {
  if (forms === 4 && count === 0) return 0
  const category = new Intl.PluralRules('ru').select(count)
  const index = category === 'one' ? 0 : category === 'few' ? 1 : 2
  return forms === 4 ? index + 1 : Math.min(index, forms - 1)
}
