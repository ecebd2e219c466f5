import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, relative, sep } from 'node:path'

/** The directory cannot, or must not, be replaced by a restore, whatever was said. */
export class DirectoryRefused extends Error {}

const DATABASE_FILE = /\.(?:snapshot|journal)$/
/** At least one of them is in every data directory. */
const MARK = /^(?:keyring\.json|lock)$|\.(?:snapshot|journal)$/

/** Refuses what is no data directory of ours, what somebody lives or works in, and what cannot be renamed. */
export async function refuseUnfit(directory: string): Promise<void> {
  for (const [place, what] of [
    [homedir(), 'the home directory'],
    [process.cwd(), 'the directory that you are in'],
  ] as const)
    if (await holds(directory, place))
      throw new DirectoryRefused(
        `${directory} is, or holds, ${what}, and would be moved. Name another with --data-dir.`,
      )
  const names = await readdir(directory).catch(() => [])
  if (names.length > 0 && !names.some((name) => MARK.test(name)))
    throw new DirectoryRefused(
      `${directory} holds no Latchkey. Name its data directory with --data-dir, or an empty one.`,
    )
  if (await isMountPoint(directory))
    throw new DirectoryRefused(
      `${directory} is a mount point, which cannot be renamed. Restore into a directory inside it, and name that with --data-dir.`,
    )
}

/** Keys alone would leave the database of this directory without a place. */
export async function refuseDatabase(directory: string): Promise<void> {
  if ((await readdir(directory).catch(() => [])).some((name) => DATABASE_FILE.test(name)))
    throw new DirectoryRefused(
      `The backup holds the keys alone, and ${directory} holds a database, too. Restore into another directory, and copy from there.`,
    )
}

/** Where a link leads: renamed must be what holds the data, in the place where it is. */
export async function withoutLink(directory: string): Promise<string> {
  const isLink = (await lstat(directory).catch(() => undefined))?.isSymbolicLink()
  return isLink ? realpath(directory) : directory
}

async function holds(directory: string, path: string): Promise<boolean> {
  const [outer, inner] = await Promise.all([directory, path].map((one) => realpath(one).catch(() => one)))
  const between = relative(outer ?? directory, inner ?? path)
  return between !== '..' && !between.startsWith(`..${sep}`) && !isAbsolute(between)
}

/** On Linux a folder of the same disk can be mounted elsewhere, which only the list of mounts tells. */
export async function isMountPoint(directory: string): Promise<boolean> {
  const real = await realpath(directory).catch(() => undefined)
  if (real === undefined) return false
  const [own, above] = await Promise.all([stat(real), stat(dirname(real))])
  if (own.dev !== above.dev || dirname(real) === real) return true
  const mounts = await readFile(join('/proc', 'self', 'mountinfo'), 'utf8').catch(() => '')
  return mounts.split('\n').some((line) => unescaped(line.split(' ')[4]) === real)
}

/** Blanks and their like stand there as `\040`. */
function unescaped(text = ''): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
