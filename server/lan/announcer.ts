import type { LanAddress } from './addresses.ts'
import type { Announce, AnnounceNews } from './announce.ts'
import { type LanProblem, reasonOf } from './certificates.ts'

/** Milliseconds after which an announcement that failed is tried again. */
const AGAIN = 60_000

interface Parts {
  announce: Announce
  /** Without `.local`, in the order in which they are tried. */
  names: readonly string[]
  service: string
  clock: () => number
  /** Another name is ours now. */
  renamed: () => void
}

/** Keeps a name announced where we can be reached. */
export interface Announcer {
  /** Announces there, and nowhere else. Nowhere: says goodbye. */
  follow(port: number, where: readonly LanAddress[]): Promise<void>
  /** With `.local`; undefined while none is announced. */
  name(): string | undefined
  problems(): readonly LanProblem[]
}

export function createAnnouncer({ announce, names, service, clock, renamed }: Parts): Announcer {
  let current: { key: string; stop(): Promise<void> } | undefined
  let name: string | undefined
  let problem: LanProblem | undefined
  let failedAt: number | undefined

  function hear(news: AnnounceNews): void {
    if ('failed' in news) {
      name = undefined
      problem = { code: 'announcement_failed', detail: news.failed }
      failedAt = clock()
      return
    }
    const hoped = `${names[0] ?? ''}.local`
    problem = news.name === hoped ? undefined : { code: 'name_taken', detail: `${hoped}; we are ${news.name}` }
    name = news.name
    renamed()
  }

  async function hush(): Promise<void> {
    const old = current
    current = undefined
    name = undefined
    problem = undefined
    failedAt = undefined
    await old?.stop()
  }

  return {
    name: () => name,
    problems: () => (problem ? [problem] : []),
    async follow(port, where) {
      const key = where.length === 0 ? '' : [port, ...where.map((one) => `${one.address}%${one.through}`)].join()
      const retry = failedAt !== undefined && clock() - failedAt >= AGAIN
      if (key === (current?.key ?? '') && !retry) return
      await hush()
      if (key === '') return
      try {
        const { stop } = announce({ names, service, port, addresses: where }, hear)
        current = { key, stop }
      } catch (error) {
        current = { key, stop: () => Promise.resolve() }
        hear({ failed: reasonOf(error) })
      }
    },
  }
}
