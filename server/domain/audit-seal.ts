import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import type { Seal, SealFacts } from '../../api/audit-export.ts'

const KEY_BYTES = 32
/** What stands before the 32 bytes of an Ed25519 key in the two usual encodings. */
const BEFORE_PRIVATE = Buffer.from('302e020100300506032b657004220420', 'hex')
const BEFORE_PUBLIC = Buffer.from('302a300506032b6570032100', 'hex')

/** Seals exports with the key of this server; the servers of one keyring have the same. */
export interface AuditSeal {
  /** Names its public key. */
  key: string
  seal(facts: SealFacts): Seal
}

/** `seed`: 32 secret bytes. */
export function createAuditSeal(seed: Buffer): AuditSeal {
  const secret = createPrivateKey({ key: Buffer.concat([BEFORE_PRIVATE, seed]), format: 'der', type: 'pkcs8' })
  const bytes = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES)
  const public_key = bytes.toString('base64url')
  const key = nameOf(bytes)
  return {
    key,
    seal: (facts) => ({
      ...facts,
      key,
      public_key,
      signature: sign(null, signed(facts), secret).toString('base64url'),
    }),
  }
}

/** Whether the seal was made with the key that it names. Whose key that is, is another question. */
export function isGenuine({ key, public_key, signature, ...facts }: Seal): boolean {
  const bytes = Buffer.from(public_key, 'base64url')
  if (bytes.length !== KEY_BYTES || nameOf(bytes) !== key) return false
  return verify(null, signed(facts), publicKeyOf(bytes), Buffer.from(signature, 'base64url'))
}

function publicKeyOf(bytes: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([BEFORE_PUBLIC, bytes]), format: 'der', type: 'spki' })
}

function nameOf(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex').slice(0, 32)
}

/** The purpose stands first, so that a signature can never be passed off as one of something else. */
function signed(facts: SealFacts): Buffer {
  const { first_seq, last_seq, entries, head, digest, complete, filter, exported_at } = facts
  return Buffer.from(
    JSON.stringify([
      'latchkey audit export 1',
      first_seq,
      last_seq,
      entries,
      head,
      digest,
      complete,
      filter,
      exported_at,
    ]),
  )
}
