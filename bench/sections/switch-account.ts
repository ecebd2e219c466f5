import { buildVisitor, dataOf, type Visitor } from '../../test/helpers/visitor.ts'
import { startLatchkey } from '../child.ts'
import type { Figure, Section } from '../figure.ts'
import { copyOf, PASSWORD, seeded, usernameOf } from '../seed.ts'
import { median, percentile } from '../statistics.ts'

const USERS = 100_000
/** As many as there may be in one browser. */
const ACCOUNTS = 5
const SWITCHES = 1_000

export const switching: Section = {
  name: 'switch-account',
  title: 'Switching between the accounts of a browser',
  async run(bench) {
    const child = await startLatchkey(copyOf(bench, await seeded(bench, USERS)))
    try {
      const visitor = buildVisitor(child.url.origin)
      const ids = await signInTogether(visitor)
      await switchAround(visitor, ids, 100) // warms up
      const times = await switchAround(visitor, ids, bench.quick ? SWITCHES / 4 : SWITCHES)
      return figures(times)
    } finally {
      await child.stop()
    }
  },
}

async function signInTogether({ client }: Visitor): Promise<number[]> {
  const ids: number[] = []
  for (let index = 0; index < ACCOUNTS; index++) {
    const body = { username: usernameOf(index), password: PASSWORD, add_account: index > 0 }
    ids.push(dataOf(await client.auth.login({ body })).user_id)
  }
  return ids
}

/** One switch after another, each durable before it is answered: the milliseconds of each, seen from the client. */
async function switchAround({ client }: Visitor, ids: readonly number[], count: number): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < count; index++) {
    const target_user_id = ids[index % ids.length] ?? 0
    const began = performance.now()
    dataOf(await client.auth.switchAccount({ body: { target_user_id } }))
    times.push(performance.now() - began)
  }
  return times
}

function figures(times: readonly number[]): Figure[] {
  const what = `POST /api/auth/switch-account, ${ACCOUNTS} accounts, ${USERS.toLocaleString('en')} users`
  return [
    { what: `${what}, p99`, value: percentile(times, 0.99), unit: 'ms', bar: { atMost: 20 } },
    { what: `${what}, median`, value: median(times), unit: 'ms' },
  ]
}
