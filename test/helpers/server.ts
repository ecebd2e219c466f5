import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, createConfig } from '../../server/config.ts'
import { type RunningServer, start } from '../../server/start.ts'
import type { Announce } from '../../server/lan/announce.ts'
import type { LanOutside } from '../../server/lan/lan.ts'
import type { Storage } from '../../server/storage/port.ts'

/** A clock that stands still until it is told to move. */
export interface TestClock {
  (): number
  advance(milliseconds: number): void
}

export function buildClock(at = Date.UTC(2026, 10, 22, 12)): TestClock {
  let now = at
  return Object.assign(() => now, {
    advance(milliseconds: number) {
      now += milliseconds
    },
  })
}

export interface TestServer extends RunningServer {
  directory: string
  clock: TestClock
  /** The server's own storage: for rows that no call makes yet, and to be replaced verb by verb. */
  storage: Storage
  /** Stops and starts again on the same directory: what was promised must still be there. */
  restart(): Promise<TestServer>
  /** Stops and removes the directory. */
  end(): Promise<void>
}

export interface TestServerOptions {
  config?: { [K in keyof Config]?: Config[K] | undefined }
  clock?: TestClock
  directory?: string
  /** What the network looks like; its name is announced to nobody. */
  lan?: LanOutside
}

/** A real server on a real socket with a real database in a directory of its own; only its clock is ours. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'latchkey-test-')))
  const clock = options.clock ?? buildClock()
  const config = createConfig({ port: 0, dataDirectory: directory, logLevel: 'debug', ...options.config }, {})
  const kept: { storage?: Storage } = {}
  const running = await start(config, {
    clock,
    random: randomBytes,
    storage: (storage) => (kept.storage = storage),
    lan: { announce: announceToNobody, ...options.lan },
  })
  if (!kept.storage) throw new Error('The server started without storage')
  return {
    ...running,
    directory,
    clock,
    storage: kept.storage,
    async restart() {
      await running.stop()
      return startTestServer({ ...options, directory, clock })
    },
    async end() {
      await running.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** In place of multicast, which would reach the network of whoever runs the tests. */
const announceToNobody: Announce = ({ names }, tell) => {
  tell({ name: `${names[0]}.local` })
  return { stop: () => Promise.resolve() }
}
