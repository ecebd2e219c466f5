import type { ErrorCode, LastWayIn } from '../errors.ts'
import type { ErrorTexts } from './en.ts'

/** A text and what is filled into it. */
interface Wording {
  name: keyof ErrorTexts
  named: { names?: string }
}

export type LastWayInText =
  'LAST_WAY_IN_PASSWORD' | 'LAST_WAY_IN_ATPROTO' | 'LAST_WAY_IN_BOTH' | 'LAST_WAY_IN_NONE' | 'LAST_WAY_IN_OTHERS'

/** Which text says a refusal best, by its data. */
export function wordingOf(code: ErrorCode, data: unknown): Wording {
  if (code !== 'LAST_WAY_IN' || !isLastWayIn(data) || data.whose === 'person') return { name: code, named: {} }
  if (data.whose === 'others') return { name: 'LAST_WAY_IN_OTHERS', named: { names: '' } }
  const names = [...new Set(data.left.map(({ username }) => username))].join(', ')
  return { name: textOf(new Set(data.left.map(({ way }) => way))), named: { names } }
}

function textOf(ways: ReadonlySet<'password' | 'atproto'>): LastWayInText {
  if (ways.size === 2) return 'LAST_WAY_IN_BOTH'
  if (ways.size === 0) return 'LAST_WAY_IN_NONE'
  return ways.has('password') ? 'LAST_WAY_IN_PASSWORD' : 'LAST_WAY_IN_ATPROTO'
}

function isLastWayIn(data: unknown): data is LastWayIn {
  return typeof data === 'object' && data !== null && 'whose' in data && 'left' in data && Array.isArray(data.left)
}
