import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'

/** The outer layer of a backup: the age format, with a passphrase. Its library is loaded when somebody needs it. */

/** What the format begins with, whatever made the file. */
const HEAD = 'age-encryption.org/v1\n'
/** Pieces that are read at a time. */
const PIECE = 256 * 1024

/** Why a backup cannot be used. Nothing was changed. */
export class BackupError extends Error {
  readonly code: 'NOT_A_BACKUP' | 'NOT_OPENED' | 'DAMAGED' | 'NEWER'

  constructor(code: BackupError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** `work`: the cost of trying a passphrase, as a power of two; absent: what the format recommends. */
export async function seal(plain: Readable, passphrase: string, work?: number): Promise<AsyncIterable<Uint8Array>> {
  const { Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  if (work !== undefined) encrypter.setScryptWorkFactor(work)
  return encrypter.encrypt(webOf(plain))
}

/** Rejects with `BackupError` when the passphrase is wrong or the file is none of ours; so does reading, when it was changed. */
export async function unseal(file: string, passphrase: string): Promise<AsyncIterable<Uint8Array>> {
  if ((await headOf(file)) !== HEAD)
    throw new BackupError('NOT_A_BACKUP', `${file} is no backup: it is not an age file.`)
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  const source = createReadStream(file, { highWaterMark: PIECE })
  try {
    return checked(file, await decrypter.decrypt(webOf(source)))
  } catch (cause) {
    source.destroy()
    throw new BackupError(
      'NOT_OPENED',
      `${file} cannot be opened: the passphrase is wrong, or the beginning of the file was changed or cut off.`,
      { cause },
    )
  }
}

async function* checked(file: string, plain: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* plain
  } catch (cause) {
    throw new BackupError('DAMAGED', `${file} is damaged: it was changed or cut off. Use another backup.`, { cause })
  }
}

async function headOf(file: string): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD.length), 0, HEAD.length, 0)
    return buffer.subarray(0, bytesRead).toString('latin1')
  } finally {
    await handle.close()
  }
}

/** Pulls: what reads slowly is not run over. */
function webOf(stream: Readable): ReadableStream<Uint8Array> {
  const pieces: AsyncIterator<unknown> = stream[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next()
        if (done === true) controller.close()
        else if (value instanceof Uint8Array) controller.enqueue(value)
      },
      async cancel() {
        stream.destroy()
      },
    },
    { highWaterMark: 0 },
  )
}
