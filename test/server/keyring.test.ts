import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KeyringError, type KeyProtector, openKeyring, readKeyring, strayKeyrings } from '../../server/keyring.ts'

let directory: string
const fileOf = () => join(directory, 'keyring.json')

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-keyring-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** A key store that really encrypts, so that what it wrapped cannot be read without it. */
function buildProtector(keep: KeyProtector['keep'] = 'wrapped', key = randomBytes(32)): KeyProtector & { key: Buffer } {
  return {
    key,
    keep,
    async wrap(bytes) {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      const body = Buffer.concat([cipher.update(bytes), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), body])
    },
    async unwrap(bytes) {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(12, 28))
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()])
    },
  }
}

const open = (protector?: KeyProtector, mayCreate = false) => openKeyring(directory, randomBytes, mayCreate, protector)

describe('a keyring under the protection of the system', () => {
  test('a new one never stands readable once it is open, and opens again with the same keys', async () => {
    const protector = buildProtector()
    const first = await open(protector, true)
    const text = await readFile(fileOf(), 'utf8')
    expect(text).not.toContain(first.pepper.toString('base64url'))
    expect(text).not.toContain(first.vault.toString('base64url'))
    expect((await stat(fileOf())).mode & 0o777).toBe(0o600)
    const again = await open(protector)
    expect(again.pepper).toEqual(first.pepper)
    expect(again.signing.map(({ kid }) => kid)).toEqual(first.signing.map(({ kid }) => kid))
    expect(await readFile(fileOf(), 'utf8')).toBe(text)
    expect(await readdir(directory)).toEqual(['keyring.json'])
  })

  test('one that stood plain is wrapped, keys unchanged, and nothing plain is left beside it', async () => {
    const plain = await open(undefined, true)
    const protector = buildProtector()
    expect((await open(protector)).vault).toEqual(plain.vault)
    expect(await readFile(fileOf(), 'utf8')).toContain('operating system')
    expect(await readdir(directory)).toEqual(['keyring.json'])
  })

  test('a plain copy that a killed start left beside it does not stay once it is wrapped', async () => {
    await open(undefined, true)
    await copyFile(fileOf(), `${fileOf()}.0123456789ab`)
    expect(await strayKeyrings(directory)).toHaveLength(1)
    await open(buildProtector())
    expect(await readdir(directory)).toEqual(['keyring.json'])
  })

  test('without the key store it is refused with what to do, and left as it is', async () => {
    await open(buildProtector(), true)
    const text = await readFile(fileOf(), 'utf8')
    await expect(open()).rejects.toThrow(/protected by the key store.*--plain-keyring/)
    await expect(readKeyring(directory)).rejects.toBeInstanceOf(KeyringError)
    expect(await readFile(fileOf(), 'utf8')).toBe(text)
  })

  test('with the key store of another account it is refused and left as it is, even where one may be made', async () => {
    await open(buildProtector(), true)
    const text = await readFile(fileOf(), 'utf8')
    await expect(open(buildProtector(), true)).rejects.toThrow(/does not open the keyring/)
    expect(await readFile(fileOf(), 'utf8')).toBe(text)
  })

  test('the protection can be taken off again', async () => {
    const protector = buildProtector()
    const keyring = await open(protector, true)
    await open({ ...protector, keep: 'plain' })
    expect((await open()).pepper).toEqual(keyring.pepper)
    expect((await stat(fileOf())).mode & 0o777).toBe(0o600)
  })

  test('for a backup it can be read as it would stand without protection', async () => {
    const protector = buildProtector()
    const keyring = await open(protector, true)
    const read = await readKeyring(directory, protector)
    expect(JSON.parse(read?.text ?? '').pepper).toBe(keyring.pepper.toString('base64url'))
  })
})

describe('a keyring is never lost', () => {
  test('a key store that gives back something else does not replace a plain one', async () => {
    const plain = await open(undefined, true)
    const text = await readFile(fileOf(), 'utf8')
    const forgetful = { ...buildProtector(), unwrap: async () => Buffer.from('{}') }
    await expect(open(forgetful)).rejects.toThrow(/did not give back/)
    expect(await readFile(fileOf(), 'utf8')).toBe(text)
    expect(await readdir(directory)).toEqual(['keyring.json'])
    expect((await open()).pepper).toEqual(plain.pepper)
  })

  test('nor does one that fails', async () => {
    await open(undefined, true)
    const text = await readFile(fileOf(), 'utf8')
    const locked = { ...buildProtector(), wrap: async () => Promise.reject(new Error('the key store is locked')) }
    await expect(open(locked)).rejects.toThrow('locked')
    expect(await readFile(fileOf(), 'utf8')).toBe(text)
  })

  test('a damaged wrapped one is refused, not made anew', async () => {
    await writeFile(fileOf(), '{"version":1,"protected_by":"operating system","wrapped":"!"}')
    await expect(open(buildProtector(), true)).rejects.toThrow(/damaged/)
  })
})
