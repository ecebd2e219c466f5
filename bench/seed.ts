import { randomBytes } from 'node:crypto'
import { cpSync } from 'node:fs'
import { type Insertable, Kysely } from 'kysely'
import { createSecret, hashSecret } from '../server/domain/one-time-secret.ts'
import { createPasswordHasher } from '../server/domain/password-hashing.ts'
import { createSessionTokens } from '../server/domain/session-token.ts'
import { type Keyring, openKeyring } from '../server/keyring.ts'
import { migrate } from '../server/storage/migrations/index.ts'
import { openSqljs } from '../server/storage/sqljs/open.ts'
import type { SessionTable, Tables, UserTable } from '../server/storage/tables.ts'
import type { Bench } from './figure.ts'

/** The password of every seeded user. */
export const PASSWORD = 'a long sentence nobody guesses'
/** So many of the users, at most, have a session. */
const SESSIONS = 10_000
const AT_ONCE = 250
const WEEK = 7 * 24 * 60 * 60 * 1000

/** A data directory with users in it, closed. Copy it before use. */
export interface Seeded {
  directory: string
  users: number
  /** Session tokens, one of each of the first users. */
  tokens: string[]
}

export const usernameOf = (index: number): string => `person${String(index).padStart(6, '0')}`

/** The row of the user with this number, counted from 0; his id is one more. */
export type RowMaker = (index: number, password_hash: string) => Insertable<UserTable>

const seeds = new Map<number, Promise<Seeded>>()

/** The directory with so many users, made at the first call of a run. */
export function seeded(bench: Bench, users: number): Promise<Seeded> {
  const made = seeds.get(users) ?? seed(bench, users, userRow)
  seeds.set(users, made)
  return made
}

/** A copy to work on, and to spoil. */
export function copyOf(bench: Bench, { directory }: Seeded): string {
  const copy = bench.scratch('copy')
  cpSync(directory, copy, { recursive: true })
  return copy
}

/** A directory like it with other people in it. */
export const seededWith = (bench: Bench, users: number, rowOf: RowMaker): Promise<Seeded> => seed(bench, users, rowOf)

/** Writes the keys of a data directory, and makes what can only be made with them. */
export async function composeKeys(directory: string, users: number) {
  const { signing, pepper } = await openKeyring(directory, randomBytes, true)
  const hasher = await createPasswordHasher({ pepper, parallel: 1, waiting: 1, random: randomBytes })
  const password_hash = await hasher.hash(PASSWORD)
  const sessions = Array.from({ length: Math.min(users, SESSIONS) }, (_, index) => composeSession(index + 1, signing))
  return { password_hash, sessions }
}

export async function insertSessions(db: Kysely<Tables>, sessions: readonly Composed[]): Promise<void> {
  await inPieces(sessions.length, async (from, length) => {
    const some = sessions.slice(from, from + length).map(({ row }) => row)
    await db.insertInto('sessions').values(some).execute()
  })
}

async function seed(bench: Bench, users: number, rowOf: RowMaker): Promise<Seeded> {
  const started = performance.now()
  const directory = bench.scratch(`${users}-users`)
  const { password_hash, sessions } = await composeKeys(directory, users)
  const database = await openSqljs({ directory, checkpointBytes: Infinity })
  const db = new Kysely<Tables>({ dialect: database.dialect })
  await migrate(db, 'sqljs')
  await db
    .insertInto('meta')
    .values({ name: 'set_up', value: String(Date.now()) })
    .execute()
  await inPieces(users, async (from, length) => {
    const some = Array.from({ length }, (_, index) => rowOf(from + index, password_hash))
    await db.insertInto('users').values(some).execute()
  })
  await insertSessions(db, sessions)
  await database.checkpoint()
  await database.close()
  bench.say(`  ${users.toLocaleString('en')} users made in ${Math.round(performance.now() - started)} ms`)
  return { directory, users, tokens: sessions.map(({ token }) => token) }
}

async function inPieces(total: number, insert: (from: number, length: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < total; from += AT_ONCE) await insert(from, Math.min(AT_ONCE, total - from))
}

interface Composed {
  row: Insertable<SessionTable>
  token: string
}

function composeSession(user_id: number, keys: Keyring['signing']): Composed {
  const secret = createSecret(randomBytes)
  const now = Date.now()
  const expires_at = now + WEEK
  const token = createSessionTokens(keys).issue({
    sub: String(user_id),
    sid: secret,
    is_temporary: false,
    auth_source: 'password',
    iat: Math.floor(now / 1000),
    exp: Math.floor(expires_at / 1000),
  })
  return { row: sessionRow(user_id, hashSecret(secret), now), token }
}

/** A row as a sign-in with a password makes it. */
export function sessionRow(user_id: number, secret_hash: string, now: number): Insertable<SessionTable> {
  return {
    session_id: randomBytes(16).toString('hex'),
    secret_hash,
    user_id,
    kind: 'browser',
    auth_source: 'password',
    amr: '["pwd"]',
    group_id: null,
    created_at: now,
    last_seen_at: now,
    authenticated_at: now,
    expires_at: now + WEEK,
    ip: '192.0.2.7',
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    revoked_at: null,
  }
}

function userRow(index: number, password_hash: string): Insertable<UserTable> {
  const username = usernameOf(index)
  const email = `${username}@people.example`
  const display_name = `Person Number ${index}`
  return {
    user_id: index + 1,
    username,
    email,
    display_name,
    superuser: index === 0 ? 1 : 0,
    permissions: '[]',
    manager_id: index === 0 ? null : 1,
    enabled: 1,
    lang: null,
    password_hash,
    require_password_change: 0,
    password_expires: null,
    totp_secret: null,
    totp_confirmed_at: null,
    totp_last_step: 0,
    did: null,
    handle: null,
    avatar_url: null,
    created_at: Date.now() - index,
    updated_at: Date.now(),
    last_sign_in_at: null,
    search_text: `${username} ${display_name} ${email}`.toLowerCase(),
  }
}
