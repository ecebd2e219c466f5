import { open, readdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { Decrypter, Encrypter } from 'age-encryption'
import { expect } from 'vitest'
import { extract, pack } from 'tar-stream'
import type { Progress } from '../../server/backup/progress.ts'
import { restoreBackup, type RestoreOptions } from '../../server/backup/restore.ts'
import { writeBackup } from '../../server/backup/write.ts'
import { reachServer } from '../../server/control/channel.ts'

export const PASSPHRASE = 'seven quiet lamps at noon'
/** What trying a passphrase costs in tests, where it guards nothing. */
const CHEAP = 2

const silent: Progress = { step: () => {}, at: () => {} }

/** Backs a running server up, as the command does. */
export async function backUp(
  directory: string,
  file: string,
  more: { content?: 'everything' | 'keys'; signal?: AbortSignal; progress?: Progress; force?: boolean } = {},
): Promise<number> {
  const { content = 'everything', signal = new AbortController().signal, progress = silent, force = false } = more
  const server = (await reachServer(directory)) ?? expect.fail('the server cannot be reached')
  const packed = await server.acts.backup({ content })
  return writeBackup(packed, { file, force, passphrase: PASSPHRASE, work: CHEAP, signal, progress })
}

export function restoreTo(directory: string, file: string, more: Partial<RestoreOptions> = {}) {
  return restoreBackup({
    file,
    directory,
    passphrase: PASSPHRASE,
    replace: false,
    kept: { sessions: false, developer_tokens: true },
    clock: () => Date.now(),
    signal: new AbortController().signal,
    progress: silent,
    ...more,
  })
}

/** The parts of a backup, with nothing of ours in between. */
export async function openWithLibraries(file: string): Promise<Map<string, Buffer>> {
  const handle = await open(file, 'r')
  const decrypter = new Decrypter()
  decrypter.addPassphrase(PASSPHRASE)
  const plain = await decrypter.decrypt(await handle.readFile())
  await handle.close()
  const parts = new Map<string, Buffer>()
  for await (const entry of Readable.from([plain]).pipe(extract())) {
    const pieces: Buffer[] = []
    for await (const piece of entry) pieces.push(Buffer.from(piece as Uint8Array))
    parts.set(entry.header.name, Buffer.concat(pieces))
  }
  return parts
}

interface Forged {
  name: string
  content: Buffer
  type?: 'file' | 'symlink'
}

/** An archive of our choice with the right passphrase. */
export async function forge(file: string, entries: readonly Forged[]): Promise<void> {
  const archive = pack()
  for (const { name, content, type = 'file' } of entries) {
    if (type === 'symlink') archive.entry({ name, type, linkname: '/etc/passwd' })
    else archive.entry({ name, size: content.length }, content)
  }
  archive.finalize()
  const pieces: Buffer[] = []
  for await (const piece of archive) pieces.push(Buffer.from(piece as Uint8Array))
  const encrypter = new Encrypter()
  encrypter.setPassphrase(PASSPHRASE)
  encrypter.setScryptWorkFactor(CHEAP)
  await writeFile(file, await encrypter.encrypt(Buffer.concat(pieces)))
}

/** What lies beside a directory. */
export async function besides(directory: string): Promise<string[]> {
  return (await readdir(dirname(directory))).toSorted()
}
