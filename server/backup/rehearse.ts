import { Buffer } from 'node:buffer'
import { createConfig } from '../config.ts'
import type { Deps } from '../deps.ts'
import { FROM_SERVER } from '../domain/audit-entry.ts'
import { opensWith } from '../domain/totp.ts'
import { createVault } from '../domain/vault.ts'
import { type Outside, openHouse } from '../house.ts'
import { KeyringError, readKeyring } from '../keyring.ts'
import { start } from '../start.ts'
import type { EndedOnRestore, KeptOnRestore, Storage } from '../storage/port.ts'
import type { Manifest } from './manifest.ts'
import type { Progress } from './progress.ts'
import { BackupError } from './sealed.ts'

/** Sealed secrets that are tried. */
const TRIED = 100

export interface Rehearsal {
  /** How many of each were ended. */
  ended: Record<EndedOnRestore, number>
  is_set_up: boolean
}

/**
 * Proves that a server can live in an unpacked directory: opens it, sees that the keys fit, ends what the backup brought to life,
 * starts a server in it and asks it how it is. Rejects when anything fails; the directory is worth nothing then.
 */
export async function rehearse(
  directory: string,
  manifest: Manifest,
  kept: KeptOnRestore,
  progress: Progress,
): Promise<Rehearsal> {
  const config = createConfig(
    { port: 0, host: '127.0.0.1', dataDirectory: directory, logLevel: 'error' },
    { LATCHKEY_DATA_DIR: directory },
  )
  progress.step('proving')
  const house = await openHouse(config).catch((cause: unknown) => {
    throw cause instanceof KeyringError ? foreignKeys(cause) : cause
  })
  let ended: Rehearsal['ended']
  try {
    await tryKeys(house.deps, directory)
    progress.step('ending')
    const { storage, clock, audit } = house.deps
    ended = await storage.afterRestore(clock(), kept)
    const { made_at, version } = manifest
    await audit.append({ event: 'restored', made_at, version, ended }, FROM_SERVER)
  } finally {
    await house.close()
  }
  progress.step('proving')
  const server = await start(config, { storage: withoutLan } satisfies Outside)
  try {
    await askHealth(server.url)
    return { ended, is_set_up: server.setupToken === undefined }
  } finally {
    await server.stop()
  }
}

async function tryKeys({ storage }: Deps, directory: string): Promise<void> {
  const keyring = await readKeyring(directory)
  if (!keyring) throw new BackupError('NOT_A_BACKUP', 'The backup holds no keys.')
  const vault = createVault(keyring.vault, (bytes) => Buffer.alloc(bytes))
  for (const sealed of await storage.sealed(TRIED)) {
    if (!opensWith(vault, sealed)) throw foreignKeys()
  }
}

function foreignKeys(cause?: Error): BackupError {
  const message = 'The keys in the backup are not those of its database. Use another backup.'
  return new BackupError('DAMAGED', message, { cause })
}

/** The network must not hear of a server that only tries itself out. */
function withoutLan(storage: Storage): Storage {
  const all = async () => ({ ...(await storage.settings.all()), lan_enabled: false })
  return { ...storage, settings: { ...storage.settings, all } }
}

async function askHealth(url: string): Promise<void> {
  for (const path of ['/api/health', '/api/auth/setup-status']) {
    const answer = await fetch(`${url}${path}`)
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`The restored server is not well: ${path} answers ${answer.status}`)
  }
}
