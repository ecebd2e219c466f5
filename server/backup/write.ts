import { access, open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Progress } from './progress.ts'
import type { PackedBackup } from './pack.ts'
import { seal } from './sealed.ts'
import { syncDirectory } from './sync.ts'

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
  const isThere = await access(file).then(
    () => true,
    () => false,
  )
  if (isThere) throw new FileExists(`${file} is there already. Choose another name, or overwrite it with --force.`)
}

/** Encrypts an archive into a file that only its owner may read. Whole and durable, or not there at all. Answers its size. */
export async function writeBackup({ bytes, stream }: PackedBackup, options: WriteOptions): Promise<number> {
  const { file, force, passphrase, work, signal, progress } = options
  const part = `${resolve(file)}.part`
  const aborted = () => stream.destroy(new Error('cancelled'))
  signal.addEventListener('abort', aborted)
  // Whoever ends early must hear of it here, and not as an error that nobody listens to.
  stream.on('error', () => {})
  try {
    if (!force) await refuseExisting(file)
    await rm(part, { force: true })
    progress.step('encrypting')
    const written = await writeAll(part, await seal(stream, passphrase, work), bytes, { signal, progress })
    if (!force) await refuseExisting(file)
    await rename(part, resolve(file))
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
