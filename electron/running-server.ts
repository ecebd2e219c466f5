import { ask, crashQuestion, type ShowMessage, startQuestion } from './dialogs.ts'
import type { SettingsFile } from './desktop-settings.ts'
import type { KeyStorage } from './key-storage.ts'
import {
  createServerKeeper,
  type Ready,
  type ServerKeeper,
  ServerProblem,
  type ServerProcess,
} from './server-keeper.ts'
import type { DesktopTexts } from './texts.ts'

/** The port of the contract; where another program has it, any free one is taken, and remembered. */
const FIRST_PORT = 8787

export interface RunningServerDeps {
  fork: () => ServerProcess
  keys: KeyStorage
  settings: SettingsFile
  dataDirectory: string | undefined
  texts: () => DesktopTexts
  showMessage: ShowMessage
  openLog: () => void
  /** It runs, has stopped, or moved. */
  changed: () => void
  quit: () => void
  log: (text: string) => void
}

export interface DesktopServer {
  keeper: Pick<ServerKeeper, 'mintStartupToken' | 'lan' | 'switchLan' | 'isRunning' | 'stop'>
  /** Starts it, and asks what to do for as long as it cannot. Undefined: the person would rather quit. */
  start(): Promise<Ready | undefined>
  url(): string | undefined
  /** The same, or where it answered last while it does not. */
  lastUrl(): string | undefined
  places(): { dataDirectory: string; logFile: string } | undefined
  keys(): 'protected' | 'file'
}

/** The server of the app, with what the person is told and asked about it. */
export function createDesktopServer(deps: RunningServerDeps): DesktopServer {
  const { fork, keys, settings, texts, showMessage, log } = deps
  let url: string | undefined
  let lastUrl: string | undefined
  let places: ReturnType<DesktopServer['places']>
  let kept: 'protected' | 'file' = 'file'
  let starting: Promise<Ready | undefined> | undefined

  const keeper = createServerKeeper({
    fork,
    keep: (act, bytes) => keys[act](bytes),
    placed: (told) => (places = told),
    crashed: (lastWords) => void crashed(lastWords),
  })

  async function crashed(lastWords: string): Promise<void> {
    url = undefined
    log('The server process ended unexpectedly.')
    deps.changed()
    for (;;) {
      const answer = await ask(showMessage, crashQuestion(texts(), lastWords))
      if (answer === 'log') deps.openLog()
      else if (answer === 'restart' && !keeper.isRunning()) return void (await start())
      else return
    }
  }

  async function once(port: number): Promise<Ready> {
    const wrap = settings.current().protectKeys && (await keys.isReal())
    const ready = await keeper.start({ port, dataDirectory: deps.dataDirectory, keys: wrap ? 'wrapped' : 'plain' })
    kept = wrap ? 'protected' : 'file'
    if (!wrap && settings.current().protectKeys)
      log('No key store: the keyring stays a file that only its owner may read.')
    return ready
  }

  async function onAnyPort(): Promise<Ready> {
    const wanted = settings.current().port ?? FIRST_PORT
    try {
      return await once(wanted)
    } catch (error) {
      if (!(error instanceof ServerProblem) || error.code !== 'PORT_UNAVAILABLE') throw error
      log(`Port ${wanted} is taken; another one is used from now on.`)
      return once(0)
    }
  }

  async function startOrAsk(): Promise<Ready | undefined> {
    for (;;) {
      try {
        const ready = await onAnyPort()
        url = lastUrl = ready.url
        void settings.change({ port: Number(new URL(url).port) })
        deps.changed()
        return ready
      } catch (error) {
        const answer = await ask(showMessage, startQuestion(texts(), wordsOf(error)))
        if (answer === 'log') deps.openLog()
        else if (answer !== 'retry') return void deps.quit()
      }
    }
  }

  function start(): Promise<Ready | undefined> {
    starting ??= startOrAsk().finally(() => (starting = undefined))
    return starting
  }

  return { keeper, start, url: () => url, lastUrl: () => lastUrl, places: () => places, keys: () => kept }
}

function wordsOf(error: unknown): { code: string; message: string } {
  if (error instanceof ServerProblem) return error
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) }
}
