import type { PasswordFault } from '../../api/errors.ts'

const MAX_PASSWORD_LENGTH = 128
/** Tries, as a power of ten, below which a password counts as easy to guess. */
const ENOUGH_GUESSES_LOG10 = 8
/** The estimate looks at this many characters: its cost grows with the square, and a strong start is enough. */
const ESTIMATED_LENGTH = 32

/** What a chosen password must not be built from, and how short it may be. */
export interface PasswordContext {
  min_length: number
  names: readonly (string | null | undefined)[]
}

/** Why a chosen password is refused, or undefined when it is good. */
export type PasswordPolicy = (password: string, context: PasswordContext) => Promise<PasswordFault | undefined>

/**
 * The rule for chosen passwords: the setting (default 8) to 128 code points, no rule of composition, not among the
 * commonest, not made of a name, not easy to guess by estimate. Works offline; the estimator and its word lists are
 * loaded at the first use and then kept.
 */
export function createPasswordPolicy(): PasswordPolicy {
  let estimator: Promise<Estimate> | undefined

  return async function faultOfPassword(typed, context) {
    const password = typed.normalize('NFC')
    const length = [...password].length
    if (length < context.min_length) return 'too_short'
    if (length > MAX_PASSWORD_LENGTH) return 'too_long'
    const names = [...context.names, 'latchkey'].flatMap((name) => (name ? [name.toLowerCase()] : []))
    if (names.some((name) => isMadeOf(password.toLowerCase(), name))) return 'contains_name'
    estimator ??= createEstimator()
    const { common, guessesLog10 } = (await estimator)(password.slice(0, ESTIMATED_LENGTH), names)
    if (common) return 'common'
    return guessesLog10 < ENOUGH_GUESSES_LOG10 ? 'too_weak' : undefined
  }
}

/** The name itself, with nothing but digits and punctuation around it. */
function isMadeOf(password: string, name: string): boolean {
  if (name.length < 3 || !password.includes(name)) return false
  return /^[\d\p{P}\p{S}]*$/u.test(password.replaceAll(name, ''))
}

type Estimate = (password: string, names: string[]) => { common: boolean; guessesLog10: number }

async function createEstimator(): Promise<Estimate> {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ])
  const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })
  return (password, names) => {
    const { sequence, guessesLog10 } = zxcvbn.check(password, names)
    const [only, ...others] = sequence
    const common = others.length === 0 && String(only?.['dictionaryName']).startsWith('passwords')
    return { common, guessesLog10 }
  }
}
