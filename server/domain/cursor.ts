import { ACCESS_KINDS } from '../../api/access.ts'
import { userId, username } from '../../api/schemas.ts'
import type { AccessPlace } from '../storage/port/access.ts'
import type { UserQuery, UserRecord } from '../storage/port.ts'

/** Where a page ends: its sort, and the last row's sort value and id. Opaque to clients. */
export function encodeCursor(last: UserRecord, sort: UserQuery['sort']): string {
  return write([sort, sortValueOf(last, sort), last.user_id])
}

/** A cursor of another sort, or one that we did not make, begins at the first page. */
export function decodeCursor(cursor: string | undefined, sort: UserQuery['sort']): UserQuery['after'] {
  const [madeFor, value, id] = read(cursor)
  const user_id = userId.safeParse(id)
  return madeFor === sort && isSortValue(value, sort) && user_id.success ? { value, user_id: user_id.data } : undefined
}

function isSortValue(value: unknown, sort: UserQuery['sort']): value is string | number {
  return sort.endsWith('username') ? username.safeParse(value).success : Number.isSafeInteger(value)
}

/** What a cursor must remember of the last row. */
function sortValueOf(user: UserRecord, sort: UserQuery['sort']): string | number {
  switch (sort) {
    case 'username':
    case '-username':
      return user.username
    case 'created_at':
    case '-created_at':
      return user.created_at
    case 'last_sign_in_at':
    case '-last_sign_in_at':
      return user.last_sign_in_at ?? 0
  }
}

/** Where a page of the access board ends. */
export function encodePlace({ created_at, kind, id }: AccessPlace): string {
  return write([created_at, kind, id])
}

/** A cursor that we did not make begins at the first page. */
export function decodePlace(cursor: string | undefined): AccessPlace | undefined {
  const [created_at, kind, id] = read(cursor)
  const known = ACCESS_KINDS.find((one) => one === kind)
  if (!known || !Number.isSafeInteger(created_at) || typeof id !== 'string') return undefined
  if (!(known === 'temporary_password' ? /^\d{1,9}$/ : /^[\w-]{1,64}$/).test(id)) return undefined
  return { created_at: Number(created_at), kind: known, id }
}

function write(fields: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(fields)).toString('base64url')
}

/** The three fields of a cursor; none of what is no cursor of ours. */
function read(cursor: string | undefined): readonly unknown[] {
  if (cursor === undefined) return []
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(fields) && fields.length === 3 ? fields : []
  } catch {
    return []
  }
}
