// Runs in a thread of its own (`announce.ts`): answers multicast DNS until it is told to stop.
import { parentPort, workerData } from 'node:worker_threads'
import { type CiaoService, getResponder, type Responder } from '@homebridge/ciao'
import type { AnnounceNews, AnnounceOrder } from './announce.ts'

const { names, service, port, addresses, interfaces }: AnnounceOrder = workerData
const responder = getResponder({ interface: interfaces, advertiseIpv4: true })

parentPort?.once('message', () => {
  const end = () => process.exit(0)
  responder.shutdown().then(end, end)
})
announceFrom(0).catch((error: unknown) => tell({ failed: error instanceof Error ? error.message : String(error) }))

/**
 * Tries the names in their order. The library would go on with `name-(2)` where one is taken, which is no name that a
 * certificate or a browser takes.
 */
async function announceFrom(at: number): Promise<void> {
  const hostname = names[at]
  if (hostname === undefined) throw new Error(`${names.join(', ')} are all taken`)
  const one = create(responder, hostname, at)
  let taken = false
  one.on('hostname-change', () => {
    if (taken) return
    taken = true
    one
      .destroy()
      .then(() => announceFrom(at + 1))
      .catch((error: unknown) => tell({ failed: error instanceof Error ? error.message : String(error) }))
  })
  await one.advertise().catch((error: unknown) => {
    if (!taken) throw error
  })
  if (!taken) tell({ name: `${hostname}.local` })
}

function create(by: Responder, hostname: string, at: number): CiaoService {
  // Numbered otherwise than the library numbers, which would number the host name, too.
  const name = at === 0 ? service : `${service}, ${at + 1}`
  return by.createService({ name, type: 'https', port, hostname, restrictedAddresses: addresses, txt: { path: '/' } })
}

function tell(news: AnnounceNews): void {
  parentPort?.postMessage(news)
}
