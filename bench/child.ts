import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inProject } from '../scripts/paths.mjs'

const USAGE = new URL('./programs/report-usage.mjs', import.meta.url).href
const STARTS_WITHIN = 60_000

/** A server under test, in a process of its own. */
export interface Child {
  url: URL
  pid: number
  /** Processor time of the process up to now, all threads, in microseconds. */
  cpu: () => Promise<number>
  stop: () => Promise<void>
}

/** The server as it is delivered when it was built, else its sources. */
export function latchkeyProgram(): { path: string; built: boolean } {
  const bundle = inProject('dist', 'server', 'main.js')
  const built = existsSync(bundle)
  return { path: built ? bundle : inProject('server', 'main.ts'), built }
}

export function startLatchkey(directory: string, env: NodeJS.ProcessEnv = {}, more: string[] = []): Promise<Child> {
  return startServer(latchkeyProgram().path, ['serve', '--json', '--port', '0', '--data-dir', directory, ...more], env)
}

/** Starts a server that prints a line of JSON with its `url` once it listens. */
export async function startServer(program: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Child> {
  const child = spawn(process.execPath, ['--import', USAGE, program, ...args], {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const url = await firstUrl(child, program)
  return {
    url: new URL(url),
    pid: child.pid ?? 0,
    async cpu() {
      const answer = once(child, 'message')
      child.send('usage')
      const [{ cpu }] = await answer
      return Number(cpu)
    },
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** Runs a program to its end and answers what it printed. */
export async function runProgram(program: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args])
  return stdout
}

async function firstUrl(child: ChildProcess, program: string): Promise<string> {
  const stdout = child.stdout
  if (!stdout) throw new Error('a child without output')
  const timer = setTimeout(() => child.kill('SIGKILL'), STARTS_WITHIN)
  for await (const line of createInterface(stdout)) {
    const { url } = JSON.parse(line) as { url?: string }
    if (url === undefined) continue
    clearTimeout(timer)
    stdout.resume()
    return url
  }
  throw new Error(`${fileURLToPath(new URL(`file://${program}`))} did not start`)
}
