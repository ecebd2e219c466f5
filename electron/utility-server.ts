import type { UtilityProcess } from 'electron'
import { lastWordsOf } from './last-words.ts'
import type { ServerProcess } from './server-keeper.ts'

/** Electron's utility process as the keeper sees it. */
export function utilityServer(child: UtilityProcess): ServerProcess {
  return {
    post: (message) => child.postMessage(message),
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => void child.once('exit', listener),
    lastWords: lastWordsOf(child.stderr),
    kill: () => void child.kill(),
  }
}
