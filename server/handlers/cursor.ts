import { z } from 'zod'
import type { UserQuery, UserRecord } from '../storage/port.ts'

const cursorSchema = z.tuple([z.string(), z.union([z.string(), z.number()]), z.int()])

/** Where a page ends: its sort, and the last row's sort value and id. Opaque to clients. */
export function encodeCursor(last: UserRecord, sort: UserQuery['sort']): string {
  return Buffer.from(JSON.stringify([sort, sortValueOf(last, sort), last.user_id])).toString('base64url')
}

/** A cursor of another sort, or one that we did not make, begins at the first page. */
export function decodeCursor(cursor: string | undefined, sort: UserQuery['sort']): UserQuery['after'] {
  if (cursor === undefined) return undefined
  try {
    const [madeFor, value, user_id] = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    return madeFor === sort ? { value, user_id } : undefined
  } catch {
    return undefined
  }
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
