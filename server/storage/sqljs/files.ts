import * as fs from 'node:fs'

/**
 * The file operations the engine uses, one system call each, so that a test can make any of them fail or write short.
 * `write` answers how many bytes it took, which may be fewer than asked; use `writeAll` and `writeAllSync`.
 */
export interface Files {
  list(directory: string): string[]
  read(path: string): Buffer
  size(fd: number): number
  /** Flags as in open(2): `r+` existing file, `wx` new file, `w` new or emptied file. Mode 0600. */
  open(path: string, flags: 'r+' | 'wx' | 'w'): number
  close(fd: number): void
  writeSync(fd: number, bytes: Uint8Array, position: number): number
  write(fd: number, bytes: Uint8Array, position: number): Promise<number>
  /** fdatasync: the bytes, and the size when it changed. */
  syncSync(fd: number): void
  sync(fd: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Makes renames and removals in the directory durable; nothing to do on Windows. */
  syncDirectory(directory: string): Promise<void>
}

/** Writes everything or throws, going on after short writes. */
export async function writeAll(files: Files, fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const took = await files.write(fd, bytes.subarray(done), position + done)
    if (took === 0) throw new Error('the device took no bytes')
    done += took
  }
}

/** As `writeAll`, holding the event loop. */
export function writeAllSync(files: Files, fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const took = files.writeSync(fd, bytes.subarray(done), position + done)
    if (took === 0) throw new Error('the device took no bytes')
    done += took
  }
}

type Settle<T> = (error: Error | null, value?: T) => void

function settled<T>(start: (settle: Settle<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error) reject(error)
      else resolve(value as T)
    })
  })
}

/** The real file system. */
export const nodeFiles: Files = {
  list: (directory) => fs.readdirSync(directory),
  read: (path) => fs.readFileSync(path),
  size: (fd) => fs.fstatSync(fd).size,
  open: (path, flags) => fs.openSync(path, flags, 0o600),
  close: (fd) => fs.closeSync(fd),
  writeSync: (fd, bytes, position) => fs.writeSync(fd, bytes, 0, bytes.length, position),
  write: (fd, bytes, position) => settled((done) => fs.write(fd, bytes, 0, bytes.length, position, done)),
  syncSync: (fd) => fs.fdatasyncSync(fd),
  sync: (fd) => settled((done) => fs.fdatasync(fd, done)),
  rename: (from, to) => settled((done) => fs.rename(from, to, done)),
  remove: (path) => settled((done) => fs.rm(path, { force: true }, done)),
  async syncDirectory(directory) {
    if (process.platform === 'win32') return
    const fd = fs.openSync(directory, 'r')
    try {
      await settled((done) => fs.fsync(fd, done))
    } finally {
      fs.closeSync(fd)
    }
  },
}
