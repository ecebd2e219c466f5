import { createCalls, type FromServer, fromServer, type LanState, type ToServer } from './server-messages.ts'

/** The process that holds the server, as Electron's `utilityProcess` and Node's `fork` both can give it. */
export interface ServerProcess {
  post(message: ToServer): void
  onMessage(listener: (message: unknown) => void): void
  onExit(listener: (exitCode: number | null) => void): void
  /** The last of what it wrote to standard error. */
  lastWords(): string
  kill(): void
}

export interface Ready {
  url: string
  /** Until the first superuser exists. */
  setupToken: string | undefined
}

/** The server did not start. `code` is one of `problemOf` in server/embedded.ts. */
export class ServerProblem extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export interface KeeperDeps {
  fork: () => ServerProcess
  /** Asks the key store of the system. */
  keep: (act: 'wrap' | 'unwrap', bytes: Buffer) => Promise<Buffer>
  /** Where it keeps its things, told as soon as it is known. */
  placed: (places: { dataDirectory: string; logFile: string }) => void
  /** It ended without having been told to. Nobody restarts it but a person. */
  crashed: (lastWords: string) => void
}

export interface StartOrder {
  port: number
  dataDirectory: string | undefined
  keys: 'wrapped' | 'plain' | 'as it is'
}

export interface ServerKeeper {
  /** Rejects with `ServerProblem`. */
  start(order: StartOrder): Promise<Ready>
  mintStartupToken(): Promise<string>
  lan(): Promise<LanState>
  switchLan(on: boolean): Promise<LanState>
  isRunning(): boolean
  /** Lets it answer what is under way and write what is pending; ends it by force after `LONGEST_STOP`. */
  stop(): Promise<void>
}

/** A drain may take ten seconds, then the database is let go of. */
const LONGEST_STOP = 20_000

type Answer = Extract<FromServer, { type: 'token' } | { type: 'lan' }>

export function createServerKeeper({ fork, keep, placed, crashed }: KeeperDeps): ServerKeeper {
  let held: { child: ServerProcess; calls: ReturnType<typeof createCalls<Answer>>; gone: Promise<void> } | undefined
  let stopping = false

  function start(order: StartOrder): Promise<Ready> {
    if (held) return Promise.reject(new ServerProblem('INTERNAL', 'The server runs already.'))
    stopping = false
    const child = fork()
    const calls = createCalls<Answer>()
    return new Promise((resolve, reject) => {
      let ready = false
      let problem: ServerProblem | undefined
      const gone = new Promise<void>((leave) => {
        child.onExit((exitCode) => {
          held = undefined
          calls.end('The server has stopped.')
          leave()
          if (!ready) {
            const words = child.lastWords() || `It ended at once (exit code ${exitCode}).`
            reject(problem ?? new ServerProblem('INTERNAL', words))
          } else if (!stopping) crashed(child.lastWords())
        })
      })
      held = { child, calls, gone }

      function obey(message: FromServer): void {
        switch (message.type) {
          case 'here':
            return child.post(startMessage(order))
          case 'places':
            return placed({ dataDirectory: message.dataDirectory, logFile: message.logFile })
          case 'keep':
            return void answerKeep(child, message)
          case 'token':
          case 'lan':
            return calls.answer(message.id, message)
          case 'refused':
            return calls.refuse(message.id, message.message)
          case 'ready':
            ready = true
            return resolve({ url: message.url, setupToken: message.setupToken })
          case 'failed':
            // It ends now, and only then can another be started.
            problem = new ServerProblem(message.code, message.message)
            return
          case 'stopped':
            return
        }
      }

      child.onMessage((said) => {
        const message = fromServer.safeParse(said)
        if (message.success) obey(message.data)
      })
    })
  }

  async function answerKeep(child: ServerProcess, { id, act, bytes }: Extract<FromServer, { type: 'keep' }>) {
    try {
      child.post({ type: 'kept', id, bytes: (await keep(act, Buffer.from(bytes, 'base64'))).toString('base64') })
    } catch (error) {
      child.post({ type: 'not-kept', id, message: error instanceof Error ? error.message : String(error) })
    }
  }

  function ask(message: (id: number) => ToServer): Promise<Answer> {
    if (!held) return Promise.reject(new Error('The server does not run.'))
    const { child, calls } = held
    return calls.call((id) => child.post(message(id)))
  }

  async function askLan(message: (id: number) => ToServer): Promise<LanState> {
    const answer = await ask(message)
    if (answer.type !== 'lan') throw new Error('The server answered something else.')
    return answer.state
  }

  return {
    start,
    async mintStartupToken() {
      const answer = await ask((id) => ({ type: 'mint', id }))
      if (answer.type !== 'token') throw new Error('The server answered something else.')
      return answer.token
    },
    lan: () => askLan((id) => ({ type: 'lan', id })),
    switchLan: (on) => askLan((id) => ({ type: 'switch-lan', id, on })),
    isRunning: () => held !== undefined,
    async stop() {
      if (!held) return
      const { child, gone } = held
      stopping = true
      child.post({ type: 'stop' })
      const force = setTimeout(() => child.kill(), LONGEST_STOP)
      await gone
      clearTimeout(force)
    },
  }
}

function startMessage({ port, dataDirectory, keys }: StartOrder): ToServer {
  return { type: 'start', port, keys, ...(dataDirectory === undefined ? {} : { dataDirectory }) }
}
