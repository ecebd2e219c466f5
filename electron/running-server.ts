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
  /** It answers, after every start. */
  arrived: (ready: Ready) => void
  /** Whether the program is on its way out: nothing is started or asked then. */
  isQuitting: () => boolean
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
  /** Whether the key store was needed for the keyring. */
  let wasProtected = false
  let kept: 'protected' | 'file' = 'file'
  let starting: Promise<Ready | undefined> | undefined

  const keeper = createServerKeeper({
    fork,
    async keep(act, bytes) {
      const kept = await keys[act](bytes)
      wasProtected = true
      return kept
    },
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

  /** Only a person takes a protection off. A key store that is locked now may be open a moment later, when it is needed. */
  async function wantedForm(): Promise<'wrapped' | 'plain' | 'as it is'> {
    if (!settings.current().protectKeys) return 'plain'
    return (await keys.isReal()) ? 'wrapped' : 'as it is'
  }

  async function once(port: number): Promise<Ready> {
    const form = await wantedForm()
    if (deps.isQuitting()) throw new Error('The program is ending.')
    wasProtected = false
    const ready = await keeper.start({ port, dataDirectory: deps.dataDirectory, keys: form })
    kept = form !== 'plain' && wasProtected ? 'protected' : 'file'
    if (form !== 'plain' && !wasProtected) log('No key store: the keyring stays a file that only its owner may read.')
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
        if (deps.isQuitting()) return undefined
        url = lastUrl = ready.url
        void settings.change({ port: Number(new URL(url).port) })
        deps.changed()
        deps.arrived(ready)
        return ready
      } catch (error) {
        if (deps.isQuitting()) return undefined
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
