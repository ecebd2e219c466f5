import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { lastWordsOf } from '../../electron/last-words.ts'
import type { ServerProcess } from '../../electron/server-keeper.ts'

const BUILT = join(import.meta.dirname, '..', '..', 'dist', 'desktop', 'server-process.js')

/** The server's process of the desktop app as it is built, forked by plain Node as Electron would fork it. */
export function forkServer(entry = BUILT): ServerProcess & { pid: number; disconnect(): void } {
  if (!existsSync(entry)) throw new Error('Not built yet: run `npm test -- --only --project electron` once.')
  const child = fork(entry, [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  return {
    pid: child.pid ?? 0,
    disconnect: () => child.disconnect(),
    post: (message) => void (child.connected && child.send(message)),
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => void child.once('exit', listener),
    lastWords: lastWordsOf(child.stderr),
    kill: () => void child.kill('SIGKILL'),
  }
}
