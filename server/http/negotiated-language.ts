import Negotiator from 'negotiator'
import { type Language, LANGUAGES } from '../../api/schemas.ts'

/** The language of ours that a browser likes best. */
export function negotiatedLanguage(acceptLanguage: string): Language {
  const [wanted = 'en'] = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).languages([...LANGUAGES])
  return LANGUAGES.find((known) => known === wanted) ?? 'en'
}
