import { randomBytes } from 'node:crypto'
import { link, lstat, open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Progress } from './progress.ts'
import type { PackedBackup } from './pack.ts'
import { seal } from './sealed.ts'
import { syncDirectory } from '../sync-directory.ts'

export interface WriteOptions {
  file: string
  /** Put it in the place of what is there. */
  force: boolean
  passphrase: string
  /** As of `seal`. */
  work?: number | undefined
  signal: AbortSignal
  progress: Progress
}

/** There is something in the place of the backup already. */
export class FileExists extends Error {}

/** Rejects with `FileExists`. */
export async function refuseExisting(file: string): Promise<void> {
  if (await lookAt(file)) throw existing(file)
}

/** A pipe or a device would be gone, and what reads there would wait for ever. */
async function refuseOthers(file: string): Promise<void> {
  const found = await lookAt(file)
  if (found && !found.isFile()) throw new FileExists(`${file} is no ordinary file. Choose another name.`)
}

async function lookAt(file: string) {
  return lstat(file).catch(() => undefined)
}

function existing(file: string): FileExists {
  return new FileExists(`${file} is there already. Choose another name, or overwrite it with --force.`)
}

/** Encrypts an archive into a file that only its owner may read. Whole and durable, or not there at all. Answers its size. */
export async function writeBackup({ bytes, stream }: PackedBackup, options: WriteOptions): Promise<number> {
  const { file, force, passphrase, work, signal, progress } = options
  // A name of our own: another backup to the same file has another.
  const part = `${resolve(file)}.${randomBytes(6).toString('hex')}.part`
  const aborted = () => stream.destroy(new Error('cancelled'))
  signal.addEventListener('abort', aborted)
  // Whoever ends early must hear of it here, and not as an error that nobody listens to.
  stream.on('error', () => {})
  try {
    await (force ? refuseOthers(file) : refuseExisting(file))
    progress.step('encrypting')
    const written = await writeAll(part, await seal(stream, passphrase, work), bytes, { signal, progress })
    await publish(part, file, force)
    await syncDirectory(dirname(resolve(file)))
    return written
  } catch (error) {
    stream.destroy()
    await rm(part, { force: true })
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', aborted)
  }
}

/** Gives the finished file its name. Where it may not overwrite, not even what came there a moment ago. */
async function publish(part: string, file: string, force: boolean): Promise<void> {
  const path = resolve(file)
  if (force) {
    await refuseOthers(file)
    return rename(part, path)
  }
  try {
    await link(part, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw existing(file)
    // Sticks and shares often know no links.
    await refuseExisting(file)
    return rename(part, path)
  }
  await rm(part)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

async function writeAll(
  part: string,
  sealed: AsyncIterable<Uint8Array>,
  expected: number,
  { signal, progress }: Pick<WriteOptions, 'signal' | 'progress'>,
): Promise<number> {
  const handle = await open(part, 'wx', 0o600)
  let written = 0
  try {
    for await (const piece of sealed) {
      signal.throwIfAborted()
      await handle.writeFile(piece)
      written += piece.length
      progress.at(written, expected)
    }
    signal.throwIfAborted()
    await handle.sync()
    return written
  } finally {
    await handle.close()
  }
}
