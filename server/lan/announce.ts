import { Worker } from 'node:worker_threads'
import type { LanAddress } from './addresses.ts'

/** What is announced in the network by multicast DNS. */
export interface Announced {
  /** Names to try in this order, without `.local`, until one is nobody else's. */
  names: readonly string[]
  /** What the service is called in lists. */
  service: string
  port: number
  addresses: readonly LanAddress[]
}

export type AnnounceNews = { name: string } | { failed: string }

/** Announces until it is stopped, which says goodbye. Tells by which name, and when it fails; does not throw. */
export type Announce = (what: Announced, tell: (news: AnnounceNews) => void) => { stop(): Promise<void> }

/** Milliseconds for saying goodbye. */
const LONGEST_GOODBYE = 2_000

/**
 * In a thread of its own: what strangers send to port 5353 is read there, so that nothing of it can bring the server down,
 * and the library, which writes to the console, does not reach ours.
 */
export function announceByThread(log: (line: string) => void): Announce {
  return ({ names, service, port, addresses }, tell) => {
    const order: AnnounceOrder = {
      names: [...names],
      service,
      port,
      addresses: addresses.map(({ address }) => address),
      interfaces: [...new Set(addresses.map(({ through }) => through))],
    }
    let ended = false
    const worker = new Worker(besideThisFile('announce-worker'), {
      workerData: order,
      execArgv: [],
      name: 'announce',
      stdout: true,
      stderr: true,
    })
    worker.unref()
    for (const output of [worker.stdout, worker.stderr])
      output.setEncoding('utf8').on('data', (line: string) => log(line.trim()))
    worker.on('message', (news: AnnounceNews) => {
      if (!ended) tell(news)
    })
    worker.on('error', (error) => {
      if (!ended) tell({ failed: error instanceof Error ? error.message : String(error) })
    })
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    return {
      async stop() {
        ended = true
        worker.postMessage('stop')
        const late = setTimeout(() => void worker.terminate(), LONGEST_GOODBYE)
        await gone
        clearTimeout(late)
      },
    }
  }
}

/** What the thread is given. */
export interface AnnounceOrder {
  names: string[]
  service: string
  port: number
  addresses: string[]
  interfaces: string[]
}

/** A `.ts` file in the source tree, a `.js` file beside the bundle. */
function besideThisFile(name: string): URL {
  return new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
}
