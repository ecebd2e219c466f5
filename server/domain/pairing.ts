import type { ErrorCode } from '../../api/errors.ts'
import type { PairingRecord } from '../storage/port/atproto.ts'
import type { Storage } from '../storage/port.ts'
import { FLOW_LIFE } from './lifetimes.ts'
import { hashSecret, type Random } from './one-time-secret.ts'
import type { Origin } from './sessions.ts'
import type { Vault } from './vault.ts'

/** Crockford's alphabet: none of it can be taken for another. 32 characters, so that each of 8 carries 5 bits. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const LENGTH = 8

export interface PairingDeps {
  storage: Storage
  vault: Vault
  clock: () => number
  random: Random
}

/** Sign-in for a browser that waits elsewhere, by somebody at this machine. */
export interface Pairing {
  /** Begins one for the browser with this nonce; it has one at a time. The code is told once. */
  begin(
    asked: { handle: string; nonce: string; base: string },
    from: Origin,
  ): Promise<{ code: string; expires_at: number }>
  /** Who waits with this code. */
  withCode(code: string): Promise<PairingRecord | undefined>
  /** Somebody at this machine goes on with it. False: it is over, or somebody else did. */
  approve(pairing_id: string): Promise<boolean>
  /** The flow has come to its end. */
  finish(pairing_id: string, end: { exchange_token: string } | { refused: ErrorCode }): Promise<void>
  /** How it stands, asked by the browser that began it; the exchange token once. */
  claim(
    nonce: string | undefined,
  ): Promise<
    { state: 'waiting' } | { state: 'done'; exchange_token: string } | { state: 'refused'; reason: string } | undefined
  >
  cancel(nonce: string | undefined): Promise<void>
}

export function createPairing({ storage, vault, clock, random }: PairingDeps): Pairing {
  const { atproto } = storage
  const ofBrowser = async (nonce: string | undefined) =>
    nonce === undefined ? undefined : atproto.pairingOfBrowser(hashSecret(nonce), clock())

  async function cancel(nonce: string | undefined): Promise<void> {
    const pairing = await ofBrowser(nonce)
    if (pairing) await atproto.deletePairing(pairing.pairing_id)
  }

  return {
    async begin({ handle, nonce, base }, { ip, user_agent }) {
      await cancel(nonce)
      const code = createCode(random)
      const expires_at = clock() + FLOW_LIFE
      const pairing_id = random(16).toString('hex')
      const nonce_hash = hashSecret(nonce)
      await atproto.createPairing({
        pairing_id,
        code_hash: hashSecret(code),
        nonce_hash,
        handle,
        base,
        ip,
        user_agent,
        expires_at,
      })
      return { code, expires_at }
    },

    withCode: (code) => atproto.pairingWithCode(hashSecret(code), clock()),
    approve: (pairing_id) => atproto.approvePairing(pairing_id, clock()),

    async finish(pairing_id, end) {
      const stored =
        'refused' in end
          ? { reason: end.refused }
          : { sealed_token: vault.seal(end.exchange_token, purposeOf(pairing_id)) }
      await atproto.finishPairing(pairing_id, stored, clock())
    },

    async claim(nonce) {
      const pairing = await ofBrowser(nonce)
      if (!pairing) return undefined
      const { pairing_id, state, reason } = pairing
      if (state === 'refused') return { state, reason: reason ?? 'FLOW_REJECTED' }
      if (state !== 'done') return { state: 'waiting' }
      const sealed = await atproto.takePairedToken(pairing_id, clock())
      return sealed === undefined ? undefined : { state, exchange_token: vault.open(sealed, purposeOf(pairing_id)) }
    },

    cancel,
  }
}

/** Eight characters, 40 bits; tries are counted, and it lives for ten minutes. */
function createCode(random: Random): string {
  return Array.from(random(LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('')
}

function purposeOf(pairing_id: string): string {
  return `pairing ${pairing_id}`
}
