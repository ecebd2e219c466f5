import type { Language } from '../schemas.ts'
import { de } from './de.ts'
import { en, type ErrorTexts } from './en.ts'
import { ru } from './ru.ts'
import { zhCN } from './zh-CN.ts'

/** The text of every error code in every language; the server answers with them, the page shows them. */
export const errorTexts: Record<Language, ErrorTexts> = { en, 'zh-CN': zhCN, ru, de }
