import type { User } from '../api/users.ts'
import { csvLine } from './csv.ts'

/** The columns of an export, in their order, and what stands in them. The manager stands by name. */
const COLUMNS = {
  user_id: ({ user_id }) => String(user_id),
  username: ({ username }) => username,
  email: ({ email }) => email ?? '',
  display_name: ({ display_name }) => display_name ?? '',
  superuser: ({ superuser }) => yesOrNo(superuser),
  permissions: ({ permissions }) => permissions.join(' '),
  manager: ({ manager_id }, nameOf) => (manager_id === null ? '' : nameOf(manager_id)),
  enabled: ({ enabled }) => yesOrNo(enabled),
  lang: ({ lang }) => lang ?? '',
  created_at: ({ created_at }) => created_at,
  last_sign_in_at: ({ last_sign_in_at }) => last_sign_in_at ?? '',
} as const satisfies Record<string, (user: Exported, nameOf: NameOf) => string>

/** What of a user is exported: all that need be kept until the file is made. */
export type Exported = Pick<
  User,
  | 'user_id'
  | 'username'
  | 'email'
  | 'display_name'
  | 'superuser'
  | 'permissions'
  | 'manager_id'
  | 'enabled'
  | 'lang'
  | 'created_at'
  | 'last_sign_in_at'
>
type NameOf = (user_id: number) => string

/** The byte order mark in front tells spreadsheets that this is UTF-8. */
export const EXPORT_HEAD = `\uFEFF${csvLine(Object.keys(COLUMNS))}`

export function exportLine(user: Exported, nameOf: NameOf): string {
  return csvLine(Object.values(COLUMNS).map((column) => column(user, nameOf)))
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no'
}
