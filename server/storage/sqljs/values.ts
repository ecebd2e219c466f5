import { StatementError } from './errors.ts'

/** What a parameter may be once checked. Booleans become 0 and 1 on the way in. */
export type StoredValue = null | number | string | bigint | Uint8Array
/** What sql.js takes and gives. */
export type SqlValue = null | number | string | Uint8Array

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n

function refused(index: number, reason: string): StatementError {
  return new StatementError('PARAMETER_REFUSED', `Parameter ${index + 1} ${reason}`)
}

function checkValue(value: unknown, index: number): StoredValue {
  if (value === null) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') {
    if (Number.isNaN(value)) throw refused(index, 'is NaN, which SQLite would keep as NULL')
    return value
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw refused(index, 'holds half of a surrogate pair, which UTF-8 cannot keep')
    return value
  }
  if (typeof value === 'bigint') {
    if (value < MIN_INT64 || value > MAX_INT64) throw refused(index, 'does not fit in 64 bits')
    return value
  }
  // Copied: the caller may change its bytes before the journal is written.
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw refused(index, `is of a kind SQLite does not know (${typeof value})`)
}

/**
 * Checks parameters: null, finite or infinite numbers, well-formed strings, 64-bit bigints, booleans, bytes.
 * @throws StatementError PARAMETER_REFUSED
 */
export function checkValues(values: readonly unknown[]): StoredValue[] {
  return values.map(checkValue)
}

/**
 * What is bound for a checked value. A bigint beyond 2^53 is bound as decimal text, which a column of INTEGER affinity
 * turns into the integer; reading one back gives the nearest number, so keep integers within 2^53.
 */
export function toBound(value: StoredValue): SqlValue {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

function encodeValue(value: StoredValue): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `{"i":"${value}"}`
  if (typeof value !== 'number')
    return `{"b":"${Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')}"}`
  if (Object.is(value, -0)) return '{"n":"-0"}'
  return Number.isFinite(value) ? String(value) : `{"n":"${value}"}`
}

/** The values as the tail of a JSON array: each preceded by a comma. */
export function encodeValues(values: readonly StoredValue[]): string {
  let text = ''
  for (const value of values) text += `,${encodeValue(value)}`
  return text
}

/** The inverse of one encoded value. @throws when it is none */
export function decodeValue(json: unknown): StoredValue {
  if (json === null || typeof json === 'number' || typeof json === 'string') return json
  if (typeof json === 'object') {
    if ('b' in json && typeof json.b === 'string') return new Uint8Array(Buffer.from(json.b, 'base64'))
    if ('i' in json && typeof json.i === 'string') return BigInt(json.i)
    if ('n' in json && typeof json.n === 'string') return Number(json.n)
  }
  throw new Error('unknown parameter encoding')
}
