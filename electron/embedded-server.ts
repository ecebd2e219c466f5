import { createEmbedded, problemOf } from '../server/embedded.ts'
import type { RunningServer } from '../server/start.ts'
import { createCalls, type FromServer, type Line, type ToServer } from './server-messages.ts'

/** Runs the server at the other end of the line: starts it once, answers for it, stops it when told or when nobody is there. */
export function serveLine(line: Line<FromServer, ToServer>, end: (exitCode: number) => void) {
  const keeping = createCalls<Buffer>()
  let running: Promise<RunningServer> | undefined

  const keep = (act: 'wrap' | 'unwrap') => (bytes: Buffer) =>
    keeping.call((id) => line.say({ type: 'keep', id, act, bytes: bytes.toString('base64') }))

  async function start({ port, dataDirectory, keys }: Extract<ToServer, { type: 'start' }>): Promise<RunningServer> {
    const embedded = createEmbedded({ port, dataDirectory })
    line.say({ type: 'places', ...embedded.places })
    return embedded.start({ wrap: keep('wrap'), unwrap: keep('unwrap'), keep: keys })
  }

  function begin(order: Extract<ToServer, { type: 'start' }>): void {
    if (running) return
    running = start(order)
    running.then(
      ({ url, setupToken }) => line.say({ type: 'ready', url, ...(setupToken === undefined ? {} : { setupToken }) }),
      (error: unknown) => {
        line.say({ type: 'failed', ...problemOf(error) })
        end(1)
      },
    )
  }

  async function answer(message: Extract<ToServer, { id: number }>): Promise<void> {
    const { type, id } = message
    if (type === 'kept') return keeping.answer(id, Buffer.from(message.bytes, 'base64'))
    if (type === 'not-kept') return keeping.refuse(id, message.message)
    try {
      const server = await running
      if (!server) throw new Error('The server was not started.')
      if (type === 'mint') return line.say({ type: 'token', id, token: server.mintStartupToken() })
      const { on, urls } = type === 'switch-lan' ? await server.switchLan(message.on) : server.lan()
      line.say({ type: 'lan', id, state: { on, urls } })
    } catch (error) {
      line.say({ type: 'refused', id, message: error instanceof Error ? error.message : String(error) })
    }
  }

  /** Answers what is under way, writes what is pending, lets go of the database. */
  async function stop(): Promise<void> {
    const server = await running?.catch(() => undefined)
    await server?.stop()
    line.say({ type: 'stopped' })
    end(0)
  }

  line.hear((message) => {
    if (message.type === 'start') begin(message)
    else if (message.type === 'stop') stop().catch(fail)
    else answer(message).catch(fail)
  })
  line.say({ type: 'here' })

  function fail(error: unknown): void {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    end(1)
  }

  return { stop: () => stop().catch(fail) }
}
