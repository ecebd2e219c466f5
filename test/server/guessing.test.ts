import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashSecret } from '../../server/domain/one-time-secret.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, buildVisitor, createUser } from '../helpers/visitor.ts'

const PASSWORD = 'wooden quiet lamp'
const TRIES = 200

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  const admin = await buildSuperuser(server)
  await createUser(admin, { username: 'known', password: PASSWORD })
  await createUser(admin, { username: 'disabled', password: PASSWORD, enabled: false })
})
afterAll(() => server.end())

const NAMES = ['known', 'unknown', 'disabled'] as const

test(`a wrong password tells nothing about the account, in words or in time, over ${TRIES} tries of each`, async () => {
  const { http } = buildVisitor(server.url)
  const times = new Map<string, number[]>(NAMES.map((name) => [name, []]))
  const answers = new Set<string>()

  for (let round = -10; round < TRIES; round += 1) {
    // In turn, and from another start each round: what the machine does meanwhile falls on all alike.
    for (let step = 0; step < NAMES.length; step += 1) {
      const username = NAMES[(((round + step) % NAMES.length) + NAMES.length) % NAMES.length] ?? 'known'
      const started = performance.now()
      const { status, data } = await http.post('/api/auth/login', { username, password: 'not the right one' })
      const took = performance.now() - started
      answers.add(JSON.stringify([status, { ...data, request_id: undefined }]))
      if (round >= 0) times.get(username)?.push(took)
    }
    // Past the cool-down, so that every try is weighed by its password.
    server.clock.advance(6 * 60_000)
    await server.storage.limits.clear(NAMES.map((username) => `account:${hashSecret(username)}`))
  }

  expect([...answers]).toHaveLength(1)
  expect([...answers][0]).toContain('INCORRECT_CREDENTIALS')
  const unknown = times.get('unknown') ?? []
  for (const name of NAMES)
    expect([name, Math.abs(likelier(times.get(name) ?? [], unknown) - 0.5) < 0.12]).toEqual([name, true])
}, 120_000)

/**
 * How likely one of the first takes longer than one of the second: a half when nobody could tell them apart (Mann and
 * Whitney's statistic over the number of pairs). With 200 of each chance alone moves it by 0.03.
 */
function likelier(first: readonly number[], second: readonly number[]): number {
  const wins = first.flatMap((one) => second.map((other) => (one > other ? 1 : one === other ? 0.5 : 0)))
  return wins.reduce<number>((sum, win) => sum + win, 0) / wins.length
}
