import type { Socket } from 'node:net'
import { bareAddress, blockListOf, contains, LOOPBACK } from '../address-list.ts'

/** Connections that a program may well hold without the process, and this machine with it, running out of files. */
const MOST = 400
/** Of these from one address: a few browsers, or a small office behind one address. */
const MOST_FROM_ONE = 100
/** Of these, how many may not have said anything yet, or be in the middle of their handshake. */
const MOST_UNGREETED = 100

export interface CrowdParts {
  /** Addresses and networks that speak for many: reverse proxies. They and this machine itself are not counted. */
  proxies: readonly string[]
  /** For tests. */
  spares?: (address: string) => boolean
  most?: number
  mostFromOne?: number
  mostUngreeted?: number
}

/** Those who are inside by way of the network, over all doors. Keeps a few from shutting out everybody else. */
export interface Crowd {
  /** Whether there is room for one more. For the newcomer the one that has kept silent longest may have to go. */
  enter(socket: Socket): boolean
  /** This one has said what it wants: it no longer counts as silent. */
  greeted(socket: Socket): void
}

export function createCrowd({
  proxies,
  spares = sparing(proxies),
  most = MOST,
  mostFromOne = MOST_FROM_ONE,
  mostUngreeted = MOST_UNGREETED,
}: CrowdParts): Crowd {
  const amounts = new Map<string, number>()
  let all = 0
  // The one that came first is the first of the set.
  const ungreeted = new Set<Socket>()

  function count(address: string, change: 1 | -1): void {
    const amount = (amounts.get(address) ?? 0) + change
    if (amount === 0) amounts.delete(address)
    else amounts.set(address, amount)
    all += change
  }

  return {
    enter(socket) {
      const address = bareAddress(socket.remoteAddress ?? '')
      if (spares(address)) return true
      if (all >= most || (amounts.get(address) ?? 0) >= mostFromOne) return false
      const [oldest] = ungreeted
      if (oldest && ungreeted.size >= mostUngreeted) {
        ungreeted.delete(oldest)
        oldest.destroy()
      }
      count(address, 1)
      ungreeted.add(socket)
      socket.once('close', () => {
        count(address, -1)
        ungreeted.delete(socket)
      })
      return true
    },
    greeted: (socket) => void ungreeted.delete(socket),
  }
}

function sparing(proxies: readonly string[]): (address: string) => boolean {
  const spared = blockListOf(proxies)
  return (address) => contains(LOOPBACK, address) || contains(spared, address)
}
