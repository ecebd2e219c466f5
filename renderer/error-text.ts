import type { Refused } from '../api/client.ts'
import type { PasswordFault } from '../api/errors.ts'
import { wordingOf } from '../api/texts/wording.ts'
import type { Translate } from './composables/use-text.ts'
import type { TextKey } from './i18n/keys.ts'

const PASSWORD_TEXTS: Record<PasswordFault, TextKey> = {
  too_short: 'checks.tooShort',
  too_long: 'checks.tooLong',
  common: 'checks.common',
  contains_name: 'checks.containsName',
  too_weak: 'checks.tooWeak',
}

/** Texts for faults of known fields; what is not listed says that the value is not accepted. */
const FIELD_TEXTS: Readonly<Record<string, TextKey>> = {
  username: 'checks.username',
  new_username: 'checks.username',
  email: 'checks.email',
  code: 'checks.code',
}

/** The one mapper from a refusal to what a person reads. `seconds` is what is left of a wait. */
export function errorText(
  error: Refused,
  t: Translate,
  seconds: number,
  minPasswordLength: number,
  texts: TextOfCode = {},
): string {
  const own = texts[error.code]
  if (own) return t(own)
  if (error.code === 'PASSWORD_UNACCEPTABLE' && error.data) {
    return t(PASSWORD_TEXTS[error.data.reason], { min: minPasswordLength })
  }
  const { name, named } = wordingOf(error.code, error.data)
  return t(`error.${name}`, { seconds, ...named })
}

/** Seconds that a refusal asks to wait; 0 when it asks nothing. */
export function waitOf(error: Refused | undefined): number {
  if (error?.code !== 'TOO_MANY_ATTEMPTS' && error?.code !== 'OVERLOADED') return 0
  return Math.max(0, Math.ceil(error.data?.retry_after ?? 0))
}

/** Which field each code of the interface is about, where it is about one. */
export type FieldOfCode = Partial<Record<Refused['code'], string>>

/** Texts that say it better in one place than the general one does. */
export type TextOfCode = Partial<Record<Refused['code'], TextKey>>

/** The faults of a refused body by field, and those of codes that name a field. */
export function fieldTexts(
  error: Refused | undefined,
  t: Translate,
  fields: FieldOfCode,
  minPasswordLength: number,
  texts: TextOfCode = {},
): Record<string, string> {
  if (!error) return {}
  const field = fields[error.code]
  if (field !== undefined) return { [field]: errorText(error, t, 0, minPasswordLength, texts) }
  if (error.code !== 'INVALID_JSON_SCHEMA' || !Array.isArray(error.data)) return {}
  return Object.fromEntries(
    error.data.map(({ path }) => {
      const name = path.split('.')[0] ?? ''
      return [name, t(FIELD_TEXTS[name] ?? 'checks.invalid')]
    }),
  )
}
