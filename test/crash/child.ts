import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

const program = join(import.meta.dirname, '../../server/main.ts')

/** A server to be killed, on this directory, and the lines that it prints. */
export async function startChild(directory: string, more: string[] = []) {
  const args = [
    'serve',
    '--json',
    '--port',
    '0',
    '--data-dir',
    directory,
    '--log-file',
    join(directory, 'log'),
    ...more,
  ]
  const child: ChildProcess = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  if (!child.stdout) throw new Error('a child without output')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<{ url: string; token: string }> => JSON.parse((await lines.next()).value ?? '')
  return { child, url: (await next()).url, next }
}
