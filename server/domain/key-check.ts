import type { Storage } from '../storage/port.ts'
import type { Vault } from './vault.ts'

const PURPOSE = 'key check'

/** Whether these keys belong to this database. A database that knows no keys yet learns these. */
export async function keysBelongTo(storage: Storage, vault: Vault): Promise<boolean> {
  const sealed = await storage.keyCheck(vault.seal('latchkey', PURPOSE))
  try {
    vault.open(sealed, PURPOSE)
    return true
  } catch {
    return false
  }
}
