import { constants } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { type LanProblem, reasonOf, type Shown } from './certificates.ts'
import type { Crowd } from './crowd.ts'
import { createDoor, type Door } from './door.ts'
import type { KeyAndCertificate } from './issue.ts'

/** The listeners on the addresses of the network, all on one port. */
export interface Doors {
  /** Opens what is missing on these addresses and closes what is too much; tries again what failed before. */
  follow(addresses: readonly string[], port: number): Promise<void>
  /** What those who connect are shown from now on. Who is connected already is not disturbed. */
  show(shown: Shown | undefined): void
  /** For listeners that are not ours. */
  tls: () => SecureContext | undefined
  open(): readonly string[]
  problems(): readonly LanProblem[]
  close(): Promise<void>
  cutOff(): void
}

export function createDoors(take: (socket: Socket) => void, crowd: Crowd): Doors {
  const doors = new Map<string, Door>()
  const closing = new Set<Promise<void>>()
  const problems = new Map<string, LanProblem>()
  let shown: Shown | undefined
  let context: SecureContext | undefined
  const tls = () => context

  async function open(address: string, port: number): Promise<void> {
    const door = createDoor({ take, tls, crowd })
    try {
      await door.listen(port, address)
      doors.set(address, door)
    } catch (error) {
      problems.set(address, problemOf(error, address, port))
    }
  }

  function shut(address: string, door: Door): void {
    doors.delete(address)
    const closed = door.close().finally(() => closing.delete(closed))
    closing.add(closed)
  }

  return {
    tls,
    open: () => [...doors.keys()],
    problems: () => [...problems.values()],
    show(next) {
      if (next === shown) return
      shown = next
      context = next && contextOf(next)
    },
    async follow(addresses, port) {
      problems.clear()
      for (const [address, door] of doors) if (!addresses.includes(address)) shut(address, door)
      await Promise.all(addresses.filter((address) => !doors.has(address)).map((address) => open(address, port)))
    },
    async close() {
      for (const [address, door] of doors) shut(address, door)
      await Promise.all(closing)
    },
    cutOff: () => {
      for (const door of doors.values()) door.cutOff()
    },
  }
}

/**
 * No second handshake within a connection: over TLS 1.2 it costs the client nothing and us a signature each time. What Node
 * does against that is a thing of its own TLS server, which stands behind no door of ours.
 */
export function contextOf({ key, certificate }: KeyAndCertificate): SecureContext {
  return createSecureContext({
    key,
    cert: certificate,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  })
}

function problemOf(error: unknown, address: string, port: number): LanProblem {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return { code: 'port_taken', detail: `${address}, port ${port}` }
  return { code: 'address_unusable', detail: `${address}: ${reasonOf(error)}` }
}
