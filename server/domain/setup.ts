import type { PasswordFault } from '../../api/errors.ts'
import type { Storage, UserRecord } from '../storage/port.ts'
import type { MemorySecret } from './memory-secret.ts'
import type { PasswordHasher } from './password-hashing.ts'
import type { PasswordPolicy } from './password-policy.ts'
import type { IssuedSession, Origin, Sessions } from './sessions.ts'
import type { Settings } from '../../api/settings.ts'

export interface SetupDeps {
  storage: Storage
  sessions: Sessions
  passwords: PasswordHasher
  policy: PasswordPolicy
  setupToken: MemorySecret
  clock: () => number
  settings: () => Settings
}

export interface SetupForm {
  setup_token: string
  username: string
  password: string
  email?: string | undefined
}

type Refused =
  | { refused: 'SETUP_NOT_REQUIRED' | 'SETUP_TOKEN_INVALID' }
  | { refused: 'PASSWORD_UNACCEPTABLE'; reason: PasswordFault }

/** Makes the first superuser. Of any number of simultaneous tries, on any number of servers, one succeeds, for ever. */
export type Setup = (form: SetupForm, from: Origin) => Promise<{ user: UserRecord; issued: IssuedSession } | Refused>

export function createSetup(deps: SetupDeps): Setup {
  const { storage, sessions, passwords, policy, setupToken, clock, settings } = deps

  return async function setUp(form, from) {
    if (await storage.users.isSetUp()) return { refused: 'SETUP_NOT_REQUIRED' }
    if (!setupToken.matches(form.setup_token)) {
      // Wiped while the line above was read: then somebody has just been first.
      return { refused: (await storage.users.isSetUp()) ? 'SETUP_NOT_REQUIRED' : 'SETUP_TOKEN_INVALID' }
    }
    const names = [form.username, form.email?.split('@')[0]]
    const fault = await policy(form.password, { min_length: settings().min_password_length, names })
    if (fault) return { refused: 'PASSWORD_UNACCEPTABLE', reason: fault }

    const made = await storage.users.createFirst({
      username: form.username,
      email: form.email ?? null,
      display_name: null,
      superuser: true,
      permissions: [],
      manager_id: null,
      enabled: true,
      lang: null,
      password_hash: await passwords.hash(form.password),
      require_password_change: false,
      password_expires: null,
      did: null,
      handle: null,
      avatar_url: null,
      created_at: clock(),
    })
    if (made === 'already') return { refused: 'SETUP_NOT_REQUIRED' }
    setupToken.wipe()
    const user = await storage.users.find(made.user_id)
    if (!user) throw new Error('The first superuser vanished while being made')
    const { row, issued } = sessions.compose(user, { auth_source: 'password', amr: ['pwd'] }, from)
    await storage.sessions.create(row)
    return { user, issued }
  }
}
