import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'

/** Where a running server listens for the owner of its data directory, as `control.json` there says it. */
const noticeSchema = z.object({
  version: z.literal(1),
  /** A Unix socket, or on Windows a named pipe. */
  path: z.string().min(1),
  /** 256 bits; every request brings them. */
  secret: z.base64url().length(43),
  pid: z.int().positive(),
  /** The data directory, without links: in a copy of it the notice speaks of the original. */
  directory: z.string().min(1),
})
export type Notice = z.output<typeof noticeSchema>

const NOTICE = 'control.json'
const SOCKET = 'control.sock'
/** The address of a Unix socket holds 108 bytes on Linux, 104 on macOS. */
const LONGEST_PATH = 100

export function noticePath(directory: string): string {
  return join(directory, NOTICE)
}

/** The notice of a server that runs here, or ran: whether it still does shows when it is spoken to. */
export async function readNotice(directory: string): Promise<Notice | undefined> {
  try {
    const notice = noticeSchema.parse(JSON.parse(await readFile(noticePath(directory), 'utf8')))
    return notice.directory === (await realpath(directory)) ? notice : undefined
  } catch {
    return undefined
  }
}

/** Written beside and renamed, so that nobody reads half of it; for the owner alone. */
export async function writeNotice(directory: string, notice: Notice): Promise<void> {
  const path = noticePath(directory)
  const beside = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(beside, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(notice)}\n`)
  } finally {
    await file.close()
  }
  await rename(beside, path)
}

export async function removeNotice(directory: string): Promise<void> {
  await rm(noticePath(directory), { force: true })
}

/** A place to listen at, and how to clean it up. */
export interface Place {
  path: string
  /** For the owner alone, once somebody listens there. */
  protect(): Promise<void>
  remove(): Promise<void>
}

/** In the data directory; where its path is too long for a socket, in a folder of its own for temporary files. */
export async function findPlace(directory: string, platform: NodeJS.Platform = process.platform): Promise<Place> {
  if (platform === 'win32') {
    const path = `\\\\.\\pipe\\latchkey-${randomBytes(16).toString('hex')}`
    return { path, protect: async () => {}, remove: async () => {} }
  }
  const near = join(directory, SOCKET)
  const fits = Buffer.byteLength(near) <= LONGEST_PATH
  const path = fits ? near : join(await mkdtemp(join(tmpdir(), 'latchkey-')), SOCKET)
  // What a server left that was killed.
  if (fits) await rm(path, { force: true })
  return {
    path,
    protect: () => chmod(path, 0o600),
    remove: () => rm(fits ? path : dirname(path), { recursive: true, force: true }),
  }
}
