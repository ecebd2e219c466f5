/** The part of Electron's `safeStorage` that is used. */
export interface SafeStorage {
  isAsyncEncryptionAvailable(): Promise<boolean>
  encryptStringAsync(text: string): Promise<Buffer>
  decryptStringAsync(bytes: Buffer): Promise<{ result: string }>
  getSelectedStorageBackend?(): string
}

export interface KeyStorage {
  /** Whether the system has a key store that deserves the name. Asked for the first time when the server is to start. */
  isReal(): Promise<boolean>
  wrap(bytes: Buffer): Promise<Buffer>
  unwrap(bytes: Buffer): Promise<Buffer>
}

/** What Electron calls these protects nothing: the key is in the program. */
const PRETENDED = new Set(['basic_text', 'unknown'])

/**
 * The key store of the operating system: Keychain, DPAPI, or the secret service of the desktop. Nothing is asked of it before
 * it is needed, because asking can put a question before the person.
 */
export function createKeyStorage(safeStorage: SafeStorage, platform: NodeJS.Platform): KeyStorage {
  let real: Promise<boolean> | undefined

  async function look(): Promise<boolean> {
    try {
      if (!(await safeStorage.isAsyncEncryptionAvailable())) return false
      return platform !== 'linux' || !PRETENDED.has(safeStorage.getSelectedStorageBackend?.() ?? 'unknown')
    } catch {
      return false
    }
  }

  async function needed(): Promise<void> {
    if (!(await isReal())) throw new Error('this machine has no key store that is unlocked')
  }

  /** One that is locked may be unlocked by the next time. */
  async function isReal(): Promise<boolean> {
    const found = await (real ??= look())
    if (!found) real = undefined
    return found
  }

  return {
    isReal,
    async wrap(bytes) {
      await needed()
      return safeStorage.encryptStringAsync(bytes.toString('base64'))
    },
    async unwrap(bytes) {
      await needed()
      return Buffer.from((await safeStorage.decryptStringAsync(bytes)).result, 'base64')
    },
  }
}
