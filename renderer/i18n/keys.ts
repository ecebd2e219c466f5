import type { ErrorTexts } from '../../api/texts/en.ts'
import type { Texts } from './en.ts'

type Paths<T> = {
  [K in keyof T & (string | number)]: T[K] extends string ? `${K}` : `${K}.${Paths<T[K]>}`
}[keyof T & (string | number)]

/** Every text of the page by its dotted path; `error.CODE` for the texts of the interface's error codes. */
export type TextKey = Paths<Texts> | `error.${keyof ErrorTexts & string}`
