import { serveLine } from './embedded-server.ts'
import { type FromServer, type Line, type ToServer, toServer } from './server-messages.ts'

/**
 * The entry of the process that holds the server. In Electron it is a `utilityProcess`, and speaks through its parent
 * port; forked by plain Node, as the tests do, through the channel of that. When the other side has gone, it ends cleanly.
 */

interface ParentPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
}

function parentPortOf(holder: object): ParentPort | undefined {
  return 'parentPort' in holder && isParentPort(holder.parentPort) ? holder.parentPort : undefined
}

function isParentPort(value: unknown): value is ParentPort {
  return typeof value === 'object' && value !== null && 'postMessage' in value
}

function lineToParent(): Line<FromServer, ToServer> {
  const port = parentPortOf(process)
  const heard = (listener: (message: ToServer) => void) => (message: unknown) => {
    const parsed = toServer.safeParse(message)
    if (parsed.success) listener(parsed.data)
  }
  if (port)
    return {
      say: (message) => port.postMessage(message),
      hear: (listener) => void port.on('message', ({ data }) => heard(listener)(data)),
    }
  return {
    say: (message) => void (process.connected && process.send?.(message)),
    hear: (listener) => void process.on('message', heard(listener)),
  }
}

const server = serveLine(lineToParent(), (exitCode) => {
  process.exitCode = exitCode
  // What was said last must be on its way first.
  setTimeout(() => process.exit(exitCode), 50)
})
process.once('disconnect', () => void server.stop())
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.stop())
