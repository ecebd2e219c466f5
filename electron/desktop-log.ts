import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A megabyte of lines is more than anybody reads; the one before it is kept. */
const LARGEST = 1_000_000

/** The app's own log, one JSON object a line; the server has its own. No secret is ever told to it. */
export function createDesktopLog(path: string, now: () => Date): (text: string) => void {
  let writing = start()

  async function start(): Promise<void> {
    await mkdir(dirname(path), { recursive: true })
    const found = await stat(path).catch(() => undefined)
    if (found && found.size > LARGEST) await rename(path, `${path}.old`)
  }

  return (text) => {
    const line = `${JSON.stringify({ time: now().toISOString(), text })}\n`
    writing = writing.then(() => appendFile(path, line, { mode: 0o600 })).catch(() => {})
  }
}
