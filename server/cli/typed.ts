import { open } from 'node:fs/promises'
import { backupPassphraseOf } from '../config.ts'
import { Cancelled } from './cancel.ts'
import { UsageError } from './command.ts'

/** Secrets that a person brings along: on the terminal, through standard input, in a file. */

const SHORTEST_PASSPHRASE = 12
/** No secret is longer, and nobody means a film. */
const LARGEST_FILE = 4096

/** The whole of standard input, but for the line break at its end. */
export async function readStandardInput(): Promise<string> {
  if (process.stdin.isTTY) return readHidden('Password: ')
  const pieces: Buffer[] = []
  for await (const piece of process.stdin) pieces.push(Buffer.from(piece))
  return withoutBreak(Buffer.concat(pieces).toString('utf8'))
}

/** The passphrase of a backup: from the file, else the variable, else the terminal; `twice` where nobody could correct a slip later. */
export async function readPassphrase(file: string | undefined, twice: boolean): Promise<string> {
  const passphrase = file === undefined ? (backupPassphraseOf() ?? (await ask(twice))) : await readFirst(file)
  if (twice && [...passphrase].length < SHORTEST_PASSPHRASE)
    throw new UsageError(
      `The passphrase needs at least ${SHORTEST_PASSPHRASE} characters: whoever has the file can try without end.`,
    )
  return passphrase
}

async function ask(twice: boolean): Promise<string> {
  if (!process.stdin.isTTY)
    throw new UsageError('A passphrase is needed: from --passphrase-file, LATCHKEY_BACKUP_PASSPHRASE, or a terminal.')
  const passphrase = await readHidden('Passphrase: ')
  if (twice && (await readHidden('Once more: ')) !== passphrase) throw new UsageError('The two passphrases differ.')
  return passphrase
}

async function readFirst(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const pieces: Buffer[] = []
    let size = 0
    // Not by position: a pipe has none.
    for await (const piece of file.createReadStream({ autoClose: false })) {
      pieces.push(Buffer.from(piece))
      size += piece.length
      if (size > LARGEST_FILE)
        throw new UsageError(`${path} holds no passphrase: it is larger than ${LARGEST_FILE} bytes.`)
    }
    return withoutBreak(Buffer.concat(pieces).toString('utf8'))
  } finally {
    await file.close()
  }
}

function withoutBreak(text: string): string {
  return text.replace(/\r?\n$/, '')
}

/** Reads a line from the terminal without showing it. */
function readHidden(prompt: string): Promise<string> {
  const { stdin, stderr } = process
  // Before the prompt: whoever types at once must not see it.
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stderr.write(prompt)
  return new Promise((resolve, reject) => {
    let typed = ''
    const end = () => {
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
    }
    const take = (keys: string) => {
      for (const key of keys) {
        if (key === '\r' || key === '\n') {
          end()
          return resolve(typed)
        }
        if (key === '\u0003' || key === '\u0004') {
          end()
          return reject(new Cancelled('Cancelled. Nothing was changed.'))
        }
        typed = key === '\u007f' || key === '\b' ? [...typed].slice(0, -1).join('') : typed + key
      }
    }
    stdin.on('data', take)
    stdin.resume()
  })
}
