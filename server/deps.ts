import type { AccessBoard } from './domain/access.ts'
import type { AdminNetworks } from './domain/admission.ts'
import type { Attempts } from './domain/attempts.ts'
import type { Audit } from './domain/audit.ts'
import type { AuditSeal } from './domain/audit-seal.ts'
import type { Changes } from './domain/changes.ts'
import type { Exchange } from './domain/exchange.ts'
import type { Flows } from './domain/flows.ts'
import type { Grants } from './domain/grants.ts'
import type { LoginTokens } from './domain/login-tokens.ts'
import type { MemorySecret } from './domain/memory-secret.ts'
import type { Random } from './domain/one-time-secret.ts'
import type { OwnPassword } from './domain/own-password.ts'
import type { Pace } from './domain/pace.ts'
import type { Pairing } from './domain/pairing.ts'
import type { PasswordHasher } from './domain/password-hashing.ts'
import type { PasswordPolicy } from './domain/password-policy.ts'
import type { Provider } from './domain/provider.ts'
import type { Sessions } from './domain/sessions.ts'
import type { Settings } from '../api/settings.ts'
import type { LiveSettings } from './domain/settings.ts'
import type { Setup } from './domain/setup.ts'
import type { SignIn } from './domain/sign-in.ts'
import type { SecondFactor } from './domain/totp.ts'
import type { UserImports } from './domain/user-imports.ts'
import type { Lan } from './lan/lan.ts'
import type { Log } from './log.ts'
import type { Storage } from './storage/port.ts'

/** Everything a handler may use, built once in `start.ts`. */
export interface Deps {
  storage: Storage
  sessions: Sessions
  attempts: Attempts
  adminNetworks: AdminNetworks
  signIn: SignIn
  setup: Setup
  ownPassword: OwnPassword
  passwords: PasswordHasher
  policy: PasswordPolicy
  secondFactor: SecondFactor
  userImports: UserImports
  startupToken: MemorySecret
  setupToken: MemorySecret
  loginTokens: LoginTokens
  access: AccessBoard
  provider: Provider
  flows: Flows
  exchange: Exchange
  grants: Grants
  pairing: Pairing
  pace: Pace
  /** Looks after grants soon: some of them may have lost their session. */
  tendGrants: () => void
  /** Where browsers of this machine reach us. */
  loopbackUrl: () => string
  changes: Changes
  audit: Audit
  /** Signs what is exported of the audit. */
  auditSeal: AuditSeal
  liveSettings: LiveSettings
  settings: () => Settings
  /** Milliseconds since 1970 UTC. */
  clock: () => number
  random: Random
  log: Log
  /** Whether an error says that data could not be read or written safely. */
  isStorageFailure: (error: unknown) => boolean
  version: string
  /** The contract as OpenAPI; made when first asked for. */
  openapi: () => Record<string, unknown>
  /** The address by which browsers reach us, where it is not the one they ask for. */
  public_url: string | undefined
  /** Being reached by other machines of the network. */
  lan: Lan
  /** Plain HTTP from other machines was allowed by the person who started the server. */
  insecure_http: boolean
}
