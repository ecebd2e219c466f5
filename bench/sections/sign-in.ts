import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { createPasswordHasher, type PasswordHasher } from '../../server/domain/password-hashing.ts'
import { type Child, startLatchkey } from '../child.ts'
import type { Bench, Figure, Section } from '../figure.ts'
import { type Connection, expectNoRefusal, load, openConnection, openConnections, requestOf } from '../load.ts'
import { copyOf, PASSWORD, seeded, usernameOf } from '../seed.ts'
import { median, percentile } from '../statistics.ts'

const USERS = 10_000
const IN_FLIGHT = 16
const ROUNDS = 10
const PROBE_EVERY = 10

export const signIn: Section = {
  name: 'sign-in',
  title: 'Sign-ins with a password',
  async run(bench) {
    const child = await startLatchkey(copyOf(bench, await seeded(bench, USERS)))
    try {
      return await measure(bench, child)
    } finally {
      await child.stop()
    }
  },
}

/** In turns: one hash at a time, as many at a time as there are cores, and sign-ins through the server. */
async function measure(bench: Bench, child: Child): Promise<Figure[]> {
  const cores = availableParallelism()
  const hasher = await createPasswordHasher({
    pepper: randomBytes(32),
    parallel: cores,
    waiting: 64,
    random: randomBytes,
  })
  const stored = await hasher.hash(PASSWORD)
  const single: number[] = []
  const parallel: number[] = []
  const rates: number[] = []
  const shares: number[] = []
  const calm: number[] = []
  const busy: number[] = []
  const milliseconds = bench.quick ? 800 : 2_000
  const next = signInRequests(child.url)
  await signInFor(child, next, milliseconds) // warms up
  for (let round = 0; round < bench.rounds(ROUNDS); round++) {
    const alone = await verifyFor(hasher, stored, 1, milliseconds / 4)
    const together = await verifyFor(hasher, stored, cores, milliseconds / 4)
    calm.push(...(await probeHealth(child, () => pause(milliseconds / 4))))
    let rate = 0
    busy.push(...(await probeHealth(child, async () => void (rate = await signInFor(child, next, milliseconds)))))
    single.push(alone.median)
    parallel.push(together.rate)
    rates.push(rate)
    shares.push(rate / ((cores * 1000) / alone.median))
  }
  const ratios = rates.map((rate, index) => rate / (parallel[index] ?? NaN))
  return [
    { what: 'one password verification alone', value: median(single), unit: 'ms' },
    { what: `cores ÷ that time (${cores} cores)`, value: (cores * 1000) / median(single), unit: '/s' },
    {
      what: `verifications, ${cores} at a time, no server`,
      value: median(parallel),
      unit: '/s',
      note: 'what the machine really gives to that many hashes at once',
    },
    { what: `sign-ins, ${IN_FLIGHT} in flight, a different user each`, value: median(rates), unit: '/s' },
    {
      what: 'sign-ins over cores ÷ one hash time',
      value: median(shares),
      unit: '×',
      bar: { atLeast: 0.9 },
      note: 'beside its hash a sign-in costs the machine some 4 ms: the load program on the same cores, the request, the queries, the durable commit and the signature; two cores that hash without a pause have no room for them',
    },
    { what: `sign-ins over verifications ${cores} at a time`, value: median(ratios), unit: '×' },
    { what: 'GET /api/health meanwhile, p99', value: percentile(busy, 0.99), unit: 'ms', bar: { atMost: 50 } },
    { what: 'GET /api/health meanwhile, median', value: median(busy), unit: 'ms' },
    { what: 'GET /api/health of an idle server, p99', value: percentile(calm, 0.99), unit: 'ms' },
  ]
}

/** Verifies without rest; the median time of one, and how many a second. */
async function verifyFor(hasher: PasswordHasher, stored: string, atOnce: number, milliseconds: number) {
  const times: number[] = []
  const started = performance.now()
  const verify = async () => {
    while (performance.now() < started + milliseconds) {
      const begun = performance.now()
      await hasher.verify(PASSWORD, stored)
      times.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, verify))
  return { median: median(times), rate: (times.length * 1000) / (performance.now() - started) }
}

function signInRequests(url: URL): () => Buffer {
  let turn = 0
  return () => {
    const username = usernameOf(turn++ % USERS)
    return requestOf(url, {
      method: 'POST',
      path: '/api/auth/login',
      body: JSON.stringify({ username, password: PASSWORD }),
    })
  }
}

async function signInFor(child: Child, next: () => Buffer, milliseconds: number): Promise<number> {
  const connections = await openConnections(child, IN_FLIGHT)
  const loaded = await load(connections, next, milliseconds)
  for (const connection of connections) connection.close()
  expectNoRefusal('sign-in', loaded)
  return loaded.answered / loaded.seconds
}

/** The time that a health check takes while the work is under way, asked for every few milliseconds. */
async function probeHealth(child: Child, work: () => Promise<void>): Promise<number[]> {
  const connection: Connection = await openConnection(child)
  const request = requestOf(child.url, { path: '/api/health' })
  const times: number[] = []
  let working = true
  const probing = (async () => {
    while (working) {
      const begun = performance.now()
      await connection.send(request)
      times.push(performance.now() - begun)
      await pause(PROBE_EVERY)
    }
  })()
  await work().finally(() => (working = false))
  await probing
  connection.close()
  return times
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
