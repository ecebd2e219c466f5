import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { type Child, startLatchkey, startServer } from '../child.ts'
import type { Bench, Figure, Section } from '../figure.ts'
import { expectNoRefusal, load, openConnections, requestOf } from '../load.ts'
import { installPeers, peerProgram } from '../peers.ts'
import { copyOf, seeded } from '../seed.ts'
import { median, medianRatio } from '../statistics.ts'

const BARE = fileURLToPath(new URL('../programs/bare-koa.ts', import.meta.url))
const USERS = 10_000
/** Sessions in use at a time; the last figure has more than the server remembers signatures of. */
const SESSIONS = 1_000
const CONNECTIONS = 50
const ROUNDS = 16

interface Contender {
  name: string
  child: Child
  next: () => Buffer
  /** By slice: answers a second, and microseconds of processor time an answer. */
  rates: number[]
  costs: number[]
}

export const requests: Section = {
  name: 'requests',
  title: 'GET /api/auth/me with a session cookie',
  async run(bench) {
    await installPeers(bench)
    const contenders = await startContenders(bench)
    try {
      for (let round = -1; round < bench.rounds(ROUNDS); round++) {
        for (const contender of Object.values(contenders)) await slice(bench, contender, round < 0)
      }
      return figuresOf(contenders)
    } finally {
      for (const child of new Set(Object.values(contenders).map((one) => one.child))) await child.stop()
    }
  },
}

/** All of them on one machine at one time, each idle while another has its turn. */
async function startContenders(bench: Bench) {
  const { tokens, ...seed } = await seeded(bench, USERS)
  const few = tokens.slice(0, SESSIONS).map(cookieOf)
  const ours = await startLatchkey(copyOf(bench, { ...seed, tokens }))
  const [bare, theirs] = [await startServer(BARE, []), await startBetterAuth(bench)]
  const path = '/api/auth/me'
  return {
    ours: contender('Latchkey', ours, path, few),
    bare: contender('bare Koa', bare, path, few),
    theirs: contender('better-auth', theirs.child, '/api/auth/get-session', theirs.cookies),
    oursMany: contender('Latchkey, many sessions', ours, path, tokens.map(cookieOf)),
  }
}

const cookieOf = (token: string): string => `latchkey_session=${token}`

function contender(name: string, child: Child, path: string, cookies: string[]): Contender {
  const all = cookies.map((Cookie) => requestOf(child.url, { path, headers: { Cookie } }))
  let turn = 0
  const next = () => all[turn++ % all.length] ?? Buffer.alloc(0)
  return { name, child, next, rates: [], costs: [] }
}

async function slice(bench: Bench, { name, child, next, rates, costs }: Contender, warmsUp: boolean): Promise<void> {
  const connections = await openConnections(child, CONNECTIONS)
  const before = await child.cpu()
  const loaded = await load(connections, next, warmsUp ? 2_000 : bench.quick ? 400 : 1_000)
  const after = await child.cpu()
  for (const connection of connections) connection.close()
  expectNoRefusal(name, loaded)
  if (warmsUp) return
  rates.push(loaded.answered / loaded.seconds)
  costs.push((after - before) / loaded.answered)
}

async function startBetterAuth(bench: Bench): Promise<{ child: Child; cookies: string[] }> {
  const child = await startServer(peerProgram('better-auth.mjs'), [join(bench.scratch('better-auth'), 'auth.db')])
  const cookies: string[] = []
  for (let index = 0; index < (bench.quick ? 5 : 50); index++) {
    const answer = await fetch(new URL('/api/auth/sign-up/email', child.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: child.url.origin },
      body: JSON.stringify({
        name: `Person ${index}`,
        email: `person${index}@people.example`,
        password: 'a long sentence',
      }),
    })
    cookies.push(
      answer.headers
        .getSetCookie()
        .map((line) => line.split(';', 1)[0])
        .join('; '),
    )
  }
  return { child, cookies }
}

function figuresOf({
  ours,
  bare,
  theirs,
  oursMany,
}: Record<'ours' | 'bare' | 'theirs' | 'oursMany', Contender>): Figure[] {
  const cost = { unit: 'µs' }
  const rate = { unit: '/s' }
  const sessions = `${SESSIONS.toLocaleString('en')} sessions in turn`
  return [
    {
      what: `processor time a request, Latchkey, ${sessions}`,
      value: median(ours.costs),
      ...cost,
      note: 'the whole server process, all threads, over the answers given; median of the slices',
    },
    {
      what: 'processor time a request, bare Koa',
      value: median(bare.costs),
      ...cost,
      note: 'Koa and @koa/router with one route that sets `ctx.body = { hello: "world" }`; the very same request, cookie included',
    },
    {
      what: 'processor time, Latchkey over bare Koa',
      value: medianRatio(ours.costs, bare.costs),
      unit: '×',
      bar: { atMost: 1.71 },
      note: 'the bar is 65 µs on a machine where a bare answer costs 38 µs; as a ratio it holds on any machine',
    },
    { what: 'requests, Latchkey', value: median(ours.rates), ...rate },
    { what: 'requests, bare Koa', value: median(bare.rates), ...rate },
    {
      what: 'requests, Latchkey over bare Koa',
      value: medianRatio(ours.rates, bare.rates),
      unit: '×',
      bar: { atLeast: 0.6 },
    },
    {
      what: 'requests, better-auth get-session on SQLite',
      value: median(theirs.rates),
      ...rate,
      note: 'better-auth with better-sqlite3 (WAL), its Node handler, no rate limit, no cookie cache; both look the session up at every request',
    },
    { what: 'processor time a request, better-auth', value: median(theirs.costs), ...cost },
    {
      what: 'requests, Latchkey over better-auth',
      value: medianRatio(ours.rates, theirs.rates),
      unit: '×',
      bar: { atLeast: 3 },
    },
    {
      what: `processor time a request, Latchkey, ${USERS.toLocaleString('en')} sessions in turn`,
      value: median(oursMany.costs),
      ...cost,
    },
  ]
}
