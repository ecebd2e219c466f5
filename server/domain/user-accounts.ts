import type { NewUser, Storage, UserEdit, UserRecord } from '../storage/port.ts'
import type { LastWayIn } from '../storage/port/ways-in.ts'
import type { Attempts } from './attempts.ts'
import { COMMAND_LINE, type RecordEvent } from './events.ts'
import { endOfTemporaryPassword } from './lifetimes.ts'
import type { PasswordHasher } from './password-hashing.ts'
import { isLastWayIn } from './ways-in.ts'

/** Making users and resetting their passwords: what administrators do on the page, and the machine's owner on the command line. */

export interface UserAccountDeps {
  storage: Storage
  passwords: PasswordHasher
  attempts: Attempts
  clock: () => number
}

type Wanted = Partial<Pick<NewUser, 'email' | 'display_name' | 'superuser' | 'manager_id' | 'enabled' | 'lang' | 'did'>>

export interface UserForm extends Optional<Wanted> {
  username: string
  permissions?: NewUser['permissions'] | undefined
  /** Absent: the user can only come in by login token. */
  password: string | undefined
  require_password_change: boolean
  /** -1: the password does not end. */
  expires_hours: number
}

type Optional<T> = { [K in keyof T]?: T[K] | undefined }

/** Who acts, and for the audit the fields that he named; absent of the command line, which has no number to note. */
interface Maker {
  by: number | typeof COMMAND_LINE
  fields: string[]
}

export async function createUser(
  { storage, passwords, clock }: Omit<UserAccountDeps, 'attempts'>,
  form: UserForm,
  { by, fields }: Maker,
  record: RecordEvent,
): Promise<Awaited<ReturnType<Storage['users']['create']>>> {
  const { password, require_password_change, expires_hours } = form
  const now = clock()
  const required = require_password_change && password !== undefined
  const made = await storage.users.create({
    username: form.username,
    email: form.email ?? null,
    display_name: form.display_name ?? null,
    superuser: form.superuser ?? false,
    permissions: [...new Set(form.permissions ?? [])],
    manager_id: form.manager_id ?? null,
    enabled: form.enabled ?? true,
    lang: form.lang ?? null,
    password_hash: password === undefined ? null : await passwords.hash(password),
    require_password_change,
    password_expires: endOfTemporaryPassword(required, expires_hours, now),
    ...(password === undefined ? {} : { password_set_by: typeof by === 'number' ? by : undefined }),
    did: form.did ?? null,
    handle: null,
    avatar_url: null,
    created_at: now,
  })
  if (typeof made === 'string') return made
  const named = Object.fromEntries(Object.entries(form).filter(([name]) => fields.includes(name)))
  const rights = rightsIn(named)
  record({ event: 'user_created', user_id: made.user_id, by, fields, ...(speaksOf(rights) ? { rights } : {}) })
  return made
}

export interface ResetForm {
  password: string
  require_password_change: boolean
  /** -1: the password does not end. */
  expires_hours: number
  revoke_developer_tokens: boolean
}

/** Sets another's password. Answers when it ends; undefined: he is gone. Refused where it would take the last way in. */
export async function resetPassword(
  { storage, passwords, attempts, clock }: UserAccountDeps,
  target: UserRecord,
  { password, require_password_change, expires_hours, revoke_developer_tokens }: ResetForm,
  by: number | typeof COMMAND_LINE,
  record: RecordEvent,
): Promise<{ password_expires: number | null } | LastWayIn | undefined> {
  const password_hash = await passwords.hash(password)
  const at = clock()
  const password_expires = endOfTemporaryPassword(require_password_change, expires_hours, at)
  const done = await storage.users.setPassword(target.user_id, {
    password_hash,
    require_password_change,
    password_expires,
    revoke_developer_tokens,
    by: by === COMMAND_LINE ? 'machine' : by,
    at,
  })
  if (!done) return undefined
  if (isLastWayIn(done)) return done
  await attempts.clearAccount(target.username)
  record({
    event: 'password_reset',
    user_id: target.user_id,
    by,
    require_password_change,
    password_expires,
    revoke_developer_tokens,
  })
  return { password_expires }
}

/** The rights that an edit speaks of, as they are in it or in a record. */
export function rightsIn(edit: UserEdit, { superuser, permissions, manager_id }: UserEdit = edit) {
  return {
    ...(edit.superuser === undefined ? {} : { superuser }),
    ...(edit.permissions === undefined ? {} : { permissions }),
    ...(edit.manager_id === undefined ? {} : { manager_id }),
  }
}

export function speaksOf(rights: object): boolean {
  return Object.keys(rights).length > 0
}
