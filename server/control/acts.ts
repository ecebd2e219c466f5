import { en } from '../../api/texts/en.ts'
import type { Deps } from '../deps.ts'
import { FROM_SERVER } from '../domain/audit-entry.ts'
import { COMMAND_LINE, type RecordEvent } from '../domain/events.ts'
import { createTemporaryPassword } from '../domain/temporary-password.ts'
import { createUser, resetPassword } from '../domain/user-accounts.ts'
import { isLastWayIn } from '../domain/ways-in.ts'
import { iso, toWireUser } from '../domain/wire.ts'
import type { UserRecord } from '../storage/port.ts'
import { type BackupSource, type PackedBackup, packBackup } from '../backup/pack.ts'
import { Refused } from './refused.ts'
import type { Asking, InputOf, OutputOf } from './verbs.ts'

/** What the acts work on. */
export interface Premises {
  deps: Deps
  /** Where the person's browser finds the server, without a slash at its end. */
  url: string
  /** What the backup of this house is made of. */
  source: BackupSource
  /** Absent where no server runs. */
  running?: { port: number } | undefined
}

export type Acts = { [V in Asking]: (input: InputOf<V>) => Promise<OutputOf<V>> } & {
  backup: (input: InputOf<'backup'>) => Promise<PackedBackup>
}

const SUPERUSERS = 1000

/** What each verb does. Resolves when the audit holds it. Rejects with `Refused`. */
export function createActs(premises: Premises): Acts {
  const { deps, url, source, running } = premises

  return {
    async 'startup-token'() {
      if (!running) throw new Refused('NO_SERVER', 'No server runs here, and a startup token lives in its memory.')
      if (!(await deps.storage.users.isSetUp())) throw notSetUp()
      return { token: await mintStartupToken(deps), url }
    },

    'user-create': (input) => written(deps, (record) => create(deps, input, record)),

    'user-reset': (input) =>
      written(deps, async (record) => {
        const target = await userCalled(deps, input.username)
        const { password = createTemporaryPassword(deps.random), expires_hours, revoke_developer_tokens } = input
        const hours = expires_hours ?? deps.settings().temp_password_default
        const form = { password, require_password_change: true, expires_hours: hours, revoke_developer_tokens }
        const done = await resetPassword(deps, target, form, COMMAND_LINE, record)
        if (!done) throw refusal('USER_NOT_FOUND')
        if (isLastWayIn(done)) throw new Refused('LAST_WAY_IN', 'No administrator would have a proven way in any more.')
        if (running) deps.tendGrants()
        const told = input.password === undefined ? { password } : {}
        return { ...about(target), ...told, expires: isoOrNull(done.password_expires) }
      }),

    async 'user-list'({ query, state, limit }) {
      const { items, total, total_exact } = await deps.storage.users.list({ q: query, state, limit, sort: 'username' })
      return { items: items.map(toWireUser), total, total_exact }
    },

    'login-token-create': ({ username, ...form }) =>
      written(deps, async (record) => {
        const target = await userCalled(deps, username)
        const minted = await deps.loginTokens.mintHere(target, form)
        if (minted === 'NO_SUPERUSER')
          throw new Refused(minted, 'No superuser is enabled, and without one a login token counts for nothing.')
        if (typeof minted === 'string') throw refusal(minted)
        const { uuid, expires_at } = minted.token
        record({ event: 'login_token_created', user_id: target.user_id, by: COMMAND_LINE, uuid })
        const login_url = `${url}/login/token#${minted.secret}`
        return { uuid, username: target.username, token: minted.secret, login_url, expires_at: iso(expires_at) }
      }),

    async status() {
      const { storage } = deps
      const about = {
        version: deps.version,
        pid: process.pid,
        url,
        port: running?.port ?? 0,
        engine: storage.shared ? ('postgres' as const) : ('embedded' as const),
        audit_key: deps.auditSeal.key,
      }
      const isWell = await storage.ping().then(
        () => true,
        () => false,
      )
      if (!isWell)
        return { ...about, storage: 'unavailable', set_up: true, audited_at: null, superusers: 0, ways_in: 0 }
      const administrators = await storage.users.waysIn(deps.clock(), SUPERUSERS)
      const latest = await storage.audit.list({}, { limit: 1 })
      return {
        ...about,
        storage: 'ok',
        set_up: await storage.users.isSetUp(),
        audited_at: isoOrNull(latest.items[0]?.at ?? null),
        superusers: administrators.length,
        ways_in: administrators.reduce((sum, { ways }) => sum + ways.length, 0),
      }
    },

    backup: ({ content }) =>
      written(deps, async (record) => {
        if (content === 'everything' && !deps.storage.snapshot)
          throw new Refused(
            'DATABASE_ELSEWHERE',
            'The database is PostgreSQL: back it up with pg_dump, and the keys with latchkey backup --keys-only FILE.',
          )
        const packed = await packBackup({ ...source, ...(content === 'keys' ? { snapshot: undefined } : {}) })
        record({ event: 'backup_made', content })
        return packed
      }),
  }
}

/** One that the audit could not take up is worth nothing. */
async function mintStartupToken(deps: Deps): Promise<string> {
  const token = deps.startupToken.mint()
  try {
    await written(deps, async (record) => record({ event: 'startup_token_minted', via: COMMAND_LINE }))
    return token
  } catch (error) {
    deps.startupToken.redeem(token)
    throw error
  }
}

async function create(
  deps: Deps,
  input: InputOf<'user-create'>,
  record: RecordEvent,
): Promise<OutputOf<'user-create'>> {
  const { password: own, expires_hours, ...fields } = input
  if (!(await deps.storage.users.isSetUp())) throw notSetUp()
  if (own !== undefined) await checkOwn(deps, own, fields.username)
  const password = own ?? createTemporaryPassword(deps.random)
  const hours = own === undefined ? (expires_hours ?? deps.settings().temp_password_default) : -1
  const form = { ...fields, password, require_password_change: own === undefined, expires_hours: hours }
  const made = await createUser(deps, form, { by: COMMAND_LINE, fields: Object.keys(fields) }, record)
  if (typeof made === 'string') throw refusal(made)
  const user = await deps.storage.users.find(made.user_id)
  const told = own === undefined ? { password } : {}
  return { ...made, username: fields.username, ...told, expires: isoOrNull(user?.password_expires ?? null) }
}

/** A password that stays is held to the rule of chosen ones. */
async function checkOwn(deps: Deps, password: string, username: string): Promise<void> {
  const fault = await deps.policy(password, { min_length: deps.settings().min_password_length, names: [username] })
  if (fault)
    throw new Refused('PASSWORD_UNACCEPTABLE', `This password will not do: it is ${fault.replaceAll('_', ' ')}.`)
}

/** By user name, or mail address. */
async function userCalled({ storage }: Deps, name: string): Promise<UserRecord> {
  const user = name.includes('@') ? await storage.users.findByEmail(name) : await storage.users.findByName(name)
  if (!user) throw refusal('USER_NOT_FOUND')
  return user
}

/** Does something, and answers when what it recorded is in the audit. */
async function written<T>(deps: Deps, act: (record: RecordEvent) => Promise<T>): Promise<T> {
  const writing: Promise<void>[] = []
  const done = await act((event) => {
    deps.log.info(event, 'security event')
    writing.push(deps.audit.append(event, FROM_SERVER))
  })
  await Promise.all(writing)
  return done
}

function notSetUp(): Refused {
  return new Refused('NOT_SET_UP', 'Open the set-up link first: it makes the first superuser.')
}

type Told =
  'USER_NOT_FOUND' | 'USERNAME_TAKEN' | 'EMAIL_TAKEN' | 'DID_TAKEN' | 'REDIRECT_NOT_ALLOWED' | 'TOO_MANY_ACTIVE'

function refusal(code: Told): Refused {
  return new Refused(code, en[code])
}

function about({ user_id, username }: UserRecord) {
  return { user_id, username }
}

function isoOrNull(time: number | null): string | null {
  return time === null ? null : iso(time)
}
