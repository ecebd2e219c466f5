import { Secret, TOTP } from 'otpauth'
import type { Storage, UserRecord } from '../storage/port.ts'
import { hashSecret, type Random } from './one-time-secret.ts'
import type { Vault } from './vault.ts'

const PERIOD_SECONDS = 30
/** One step to either side is accepted, for clocks that are a little off; each step once. */
const WINDOW = 1
const SECRET_BYTES = 20
const RECOVERY_CODES = 10
/** No vowels, so that no words arise, and nothing that looks like something else. */
const RECOVERY_ALPHABET = 'bcdfghjkmnpqrstvwxz23456789'

export interface TotpDeps {
  storage: Storage
  vault: Vault
  clock: () => number
  random: Random
}

export interface SecondFactor {
  /** Begins an enrolment; undefined when one is already confirmed. */
  begin(user: UserRecord): Promise<{ otpauth_uri: string; secret: string } | undefined>
  /** Confirms it with a code of the app; answers the recovery codes, shown once. */
  confirm(
    user: UserRecord,
    code: string,
  ): Promise<string[] | 'TOTP_CODE_WRONG' | 'TOTP_ALREADY_ENABLED' | 'TOTP_NOT_ENABLED'>
  /** Checks and uses up a TOTP or recovery code. Answers the factor it was, or undefined. */
  redeem(user: UserRecord, code: string): Promise<'otp' | 'recovery' | undefined>
  /** New recovery codes; the old ones end. */
  replaceRecoveryCodes(user_id: number): Promise<string[]>
}

export function createSecondFactor(deps: TotpDeps): SecondFactor {
  const { storage, vault, clock, random } = deps

  function totpOf(user: UserRecord, secret: string): TOTP {
    return new TOTP({
      issuer: 'Latchkey',
      label: user.username,
      period: PERIOD_SECONDS,
      digits: 6,
      secret: Secret.fromBase32(secret),
    })
  }

  /** The time step that this code belongs to, if it is near enough to now. */
  function stepOf(user: UserRecord, code: string): number | undefined {
    if (user.totp_secret === null || !/^\d{6}$/.test(code)) return undefined
    const totp = totpOf(user, vault.open(user.totp_secret, purposeOf(user)))
    const now = clock()
    const delta = totp.validate({ token: code, timestamp: now, window: WINDOW })
    return delta === null ? undefined : Math.floor(now / 1000 / PERIOD_SECONDS) + delta
  }

  function createRecoveryCodes(): string[] {
    return Array.from({ length: RECOVERY_CODES }, () => createRecoveryCode(random))
  }

  return {
    async begin(user) {
      const secret = new Secret({ buffer: new Uint8Array(random(SECRET_BYTES)).buffer }).base32
      const begun = await storage.users.beginTotp(user.user_id, vault.seal(secret, purposeOf(user)))
      return begun ? { otpauth_uri: totpOf(user, secret).toString(), secret } : undefined
    },

    async confirm(user, code) {
      if (user.totp_confirmed_at !== null) return 'TOTP_ALREADY_ENABLED'
      if (user.totp_secret === null) return 'TOTP_NOT_ENABLED'
      const step = stepOf(user, digitsOf(code))
      if (step === undefined) return 'TOTP_CODE_WRONG'
      const codes = createRecoveryCodes()
      const confirmed = await storage.users.confirmTotp(user.user_id, codes.map(hashRecoveryCode), step, clock())
      return confirmed ? codes : 'TOTP_ALREADY_ENABLED'
    },

    async redeem(user, code) {
      if (user.totp_confirmed_at === null) return undefined
      const step = stepOf(user, digitsOf(code))
      if (step !== undefined) return (await storage.users.consumeTotpStep(user.user_id, step)) ? 'otp' : undefined
      return (await storage.recoveryCodes.consume(user.user_id, hashRecoveryCode(code))) ? 'recovery' : undefined
    },

    async replaceRecoveryCodes(user_id) {
      const codes = createRecoveryCodes()
      await storage.recoveryCodes.replace(user_id, codes.map(hashRecoveryCode))
      return codes
    },
  }
}

/** Whether a sealed secret can be opened with this vault's key. */
export function opensWith(vault: Vault, { user_id, totp_secret }: { user_id: number; totp_secret: string }): boolean {
  try {
    vault.open(totp_secret, purposeOf({ user_id }))
    return true
  } catch {
    return false
  }
}

function purposeOf(user: Pick<UserRecord, 'user_id'>): string {
  return `totp:${user.user_id}`
}

function digitsOf(code: string): string {
  return code.replace(/[\s-]/g, '')
}

/** Four groups of six: 114 bits, enough for a plain SHA-256 to keep. */
function createRecoveryCode(random: Random): string {
  const letters: string[] = []
  while (letters.length < 24) {
    // Bytes beyond the largest multiple of the alphabet are dropped, so that every letter is equally likely.
    const byte = random(1)[0] ?? 0
    if (byte < 256 - (256 % RECOVERY_ALPHABET.length))
      letters.push(RECOVERY_ALPHABET.charAt(byte % RECOVERY_ALPHABET.length))
  }
  return letters.join('').replace(/(.{6})(?=.)/g, '$1-')
}

function hashRecoveryCode(code: string): string {
  return hashSecret(code.toLowerCase().replace(/[\s-]/g, ''))
}
