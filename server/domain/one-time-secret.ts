import { hash } from 'node:crypto'

/** Random bytes from a cryptographic source; injected, so that tests can choose them. */
export type Random = (bytes: number) => Buffer

/** 32 random bytes as 43 characters of base64url: the form of every secret that signs somebody in. */
export function createSecret(random: Random): string {
  return random(32).toString('base64url')
}

/**
 * What is stored of such a secret: SHA-256, in hex. A fast hash is right here because the secret has 256 bits;
 * looking one up by its hash takes the same time whether it exists or not.
 */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex')
}
