import type { User } from '../api/users.ts'

/** What one person is handed on paper: where to sign in, with what, until when. */
export interface SheetEntry {
  user: Pick<User, 'user_id' | 'username' | 'display_name'>
  /** Where to sign in. */
  address: string
  /** One of the two. */
  password?: string
  link?: string
  /** ISO 8601; absent: no end. */
  end?: string | undefined
  mustChange?: boolean
}
