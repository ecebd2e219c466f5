import { randomBytes } from 'node:crypto'
import type { NewSession, NewUser, Storage } from '../../server/storage/port.ts'

export const NOW = Date.UTC(2026, 10, 22, 12)
export const HOUR = 3_600_000

export function buildUser(fields: Partial<NewUser> = {}): NewUser {
  return {
    username: `user-${randomBytes(5).toString('hex')}`,
    email: null,
    display_name: null,
    superuser: false,
    permissions: [],
    manager_id: null,
    enabled: true,
    lang: null,
    password_hash: 'hash',
    require_password_change: false,
    password_expires: null,
    did: null,
    handle: null,
    avatar_url: null,
    created_at: NOW,
    ...fields,
  }
}

export function buildSession(user_id: number, fields: Partial<NewSession> = {}): NewSession {
  return {
    session_id: randomBytes(8).toString('hex'),
    secret_hash: randomBytes(16).toString('hex'),
    user_id,
    kind: 'browser',
    auth_source: 'password',
    amr: ['pwd'],
    group_id: null,
    created_at: NOW,
    authenticated_at: NOW,
    expires_at: NOW + HOUR,
    ip: '127.0.0.1',
    user_agent: 'test',
    ...fields,
  }
}

export async function storeUser(storage: Storage, fields: Partial<NewUser> = {}): Promise<number> {
  const made = await storage.users.create(buildUser(fields))
  if (typeof made === 'string') throw new Error(made)
  return made.user_id
}

/** Stores an enabled superuser who has come in by his password. */
export async function storeSuperuser(storage: Storage, fields: Partial<NewUser> = {}): Promise<number> {
  const user_id = await storeUser(storage, { superuser: true, ...fields })
  await signIn(storage, user_id)
  return user_id
}

/** Begins a session by the password that `buildUser` sets, or by another. */
export async function signIn(storage: Storage, user_id: number, password_hash = 'hash'): Promise<void> {
  if (!(await storage.sessions.create(buildSession(user_id), password_hash))) throw new Error('The sign-in was refused')
}

/** Stores a login token for one who is no superuser. Unless its maker is named, it is a new manager of that person. */
export async function storeLoginToken(
  storage: Storage,
  login_user_id: number,
  fields: { user_id?: number; expires_at?: number } = {},
): Promise<string> {
  const secret_hash = randomBytes(32).toString('hex')
  const token = {
    uuid: randomBytes(16).toString('hex'),
    secret_hash,
    user_id: fields.user_id ?? (await storeManagerOf(storage, login_user_id)),
    login_user_id,
    reason: null,
    redirect_to: null,
    created_at: NOW,
    expires_at: fields.expires_at ?? NOW + HOUR,
  }
  if (!(await storage.loginTokens.create(token, 1000))) throw new Error('There is no such person')
  return secret_hash
}

async function storeManagerOf(storage: Storage, user_id: number): Promise<number> {
  const manager_id = await storeUser(storage, { permissions: ['LOGIN_TOKENS'] })
  await storage.users.edit(user_id, { manager_id }, NOW)
  return manager_id
}

/** Redeems a login token of this user at this moment. */
export function redeem(storage: Storage, secret_hash: string, user_id: number, at = NOW, ip = '::1') {
  const session = buildSession(user_id, { auth_source: 'login_token', amr: ['link'], created_at: at, ip })
  return storage.loginTokens.consume(secret_hash, session)
}

/** Runs the same thing this many times at once. */
export function atOnce<T>(times: number, run: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => run(index)))
}
