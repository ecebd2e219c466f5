import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Random } from './one-time-secret.ts'

/** Seals secrets that must be read again (TOTP seeds, grants), with a key that is not in the database. */
export interface Vault {
  /** AES-256-GCM. `purpose` is bound in: what was sealed for one row or use cannot be opened as another. */
  seal(plain: string, purpose: string): string
  /** Throws when the text was changed, sealed with another key or for another purpose. */
  open(sealed: string, purpose: string): string
}

export function createVault(key: Buffer, random: Random): Vault {
  return {
    seal(plain, purpose) {
      const nonce = random(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose))
      const sealed = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${sealed.toString('base64url')}`
    },
    open(sealed, purpose) {
      const bytes = Buffer.from(sealed.slice('v1.'.length), 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(purpose))
      decipher.setAuthTag(bytes.subarray(-16))
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8')
    },
  }
}
