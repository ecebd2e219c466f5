import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, codeOf, createUser, type Visitor, viaProxy } from '../helpers/visitor.ts'

const PASSWORD = 'wooden quiet lamp'
const SECOND = 1000
const MINUTE = 60 * SECOND

let server: TestServer
let admin: Visitor
beforeEach(async () => {
  server = await startTestServer({ config: { trustedProxies: ['127.0.0.1'] } })
  admin = await buildSuperuser(server)
  await createUser(admin, { username: 'bert', password: PASSWORD })
})
afterEach(() => server.end())

const from = (ip: string) => buildVisitor(server.url, viaProxy(server.url, ip))
const login = (username: string, password: string, visitor = buildVisitor(server.url)) =>
  visitor.client.auth.login({ body: { username, password } }).then(codeOf)
const times = async (count: number, run: (at: number) => Promise<string>) => {
  const codes: string[] = []
  for (let at = 0; at < count; at += 1) codes.push(await run(at))
  return codes
}

describe('one name from one address', () => {
  test('cools down for five minutes after three failures in three', async () => {
    expect(await times(3, () => login('bert', 'wrong'))).toEqual(Array(3).fill('INCORRECT_CREDENTIALS'))
    expect(await login('bert', PASSWORD)).toBe('TOO_MANY_ATTEMPTS')
    server.clock.advance(5 * MINUTE - 1)
    expect(await login('bert', PASSWORD)).toBe('TOO_MANY_ATTEMPTS')
    server.clock.advance(1)
    expect(await login('bert', PASSWORD)).toBe('ok')
  })

  test('is not prolonged by tries during the cool-down', async () => {
    await times(3, () => login('bert', 'wrong'))
    server.clock.advance(4 * MINUTE)
    await times(5, () => login('bert', 'wrong'))
    server.clock.advance(MINUTE)
    expect(await login('bert', PASSWORD)).toBe('ok')
  })

  test('has its count cleared by a success, and by three quiet minutes', async () => {
    await times(2, () => login('bert', 'wrong'))
    expect(await login('bert', PASSWORD)).toBe('ok')
    await times(2, () => login('bert', 'wrong'))
    server.clock.advance(3 * MINUTE)
    expect(await times(2, () => login('bert', 'wrong'))).toEqual(Array(2).fill('INCORRECT_CREDENTIALS'))
    expect(await login('bert', PASSWORD)).toBe('ok')
  })

  test('does not hinder another name or another address, and is one name in any spelling', async () => {
    await times(3, (at) => login(['bert', 'BERT', ' Bert '][at] ?? '', 'wrong'))
    expect(await login('bert', PASSWORD)).toBe('TOO_MANY_ATTEMPTS')
    expect(await login('ann', ADMIN.password)).toBe('ok')
    expect(await login('bert', PASSWORD, from('10.0.0.9'))).toBe('ok')
  })

  test('cools down for names that nobody has, too', async () => {
    await times(3, () => login('nobody', 'wrong'))
    expect(await login('nobody', 'wrong')).toBe('TOO_MANY_ATTEMPTS')
  })

  test('cools down for the only superuser at his own machine as well: guessing is guessing', async () => {
    await times(3, () => login('ann', 'wrong'))
    expect(await login('ann', ADMIN.password)).toBe('TOO_MANY_ATTEMPTS')
  })

  test('lets a burst of thirty at once have three guesses', async () => {
    const codes = await Promise.all(Array.from({ length: 30 }, () => login('bert', 'wrong')))
    expect(codes.filter((code) => code === 'INCORRECT_CREDENTIALS')).toHaveLength(3)
    expect(codes.filter((code) => code === 'TOO_MANY_ATTEMPTS')).toHaveLength(27)
  })

  test('costs a success nothing: fifty at once all pass', async () => {
    const codes = await Promise.all(Array.from({ length: 50 }, () => login('bert', PASSWORD)))
    expect(codes).toEqual(Array(50).fill('ok'))
  })

  test('is remembered over a restart', async () => {
    await times(3, () => login('bert', 'wrong'))
    server = await server.restart()
    expect(await login('bert', PASSWORD)).toBe('TOO_MANY_ATTEMPTS')
  })

  test('counts wrong current passwords of a session that was left open', async () => {
    const body = { password: 'tall grass at noon', current_password: 'wrong' }
    const codes = await times(4, () => admin.client.users.editMe({ body }).then(codeOf))
    expect(codes).toEqual([...Array(3).fill('CURRENT_PASSWORD_WRONG'), 'TOO_MANY_ATTEMPTS'])
    expect(await admin.client.auth.editAccount({ body: { password: ADMIN.password } }).then(codeOf)).toBe(
      'TOO_MANY_ATTEMPTS',
    )
  })
})

describe('one address', () => {
  test('cools down after thirty failures of whatever kind, and others do not', async () => {
    const attacker = from('10.0.0.5')
    const wrong = [
      (at: number) => login(`name-${at}`, 'wrong', attacker),
      () => attacker.client.auth.login({ body: { login_type: 'temporary_token', temporary_token: 'x' } }).then(codeOf),
      () => attacker.client.auth.login({ body: { login_type: 'login_token', login_token: 'x' } }).then(codeOf),
    ]
    const codes = await times(30, (at) => (wrong[at % 3] ?? expect.fail())(at))
    expect(codes).not.toContain('TOO_MANY_ATTEMPTS')
    expect(await login('bert', PASSWORD, attacker)).toBe('TOO_MANY_ATTEMPTS')
    expect(await login('bert', PASSWORD, from('10.0.0.6'))).toBe('ok')
    server.clock.advance(5 * MINUTE)
    expect(await login('bert', PASSWORD, attacker)).toBe('ok')
  })

  test('has few of its tries under way at once, so that spraying in parallel meets the limit too', async () => {
    const attacker = from('10.0.0.7')
    const codes = await Promise.all(Array.from({ length: 120 }, (_, at) => login(`spray-${at}`, 'wrong', attacker)))
    expect(codes.filter((code) => code === 'INCORRECT_CREDENTIALS').length).toBeLessThan(36)
  })

  test('is not limited when it is this machine: every window of the desktop looks alike', async () => {
    const codes = await times(40, (at) => login(`local-${at}`, 'wrong'))
    expect(codes).not.toContain('TOO_MANY_ATTEMPTS')
  })

  test('may ask for what needs no secret all the while', async () => {
    const attacker = from('10.0.0.8')
    await times(30, (at) => login(`n-${at}`, 'wrong', attacker))
    expect(codeOf(await attacker.client.auth.setupStatus())).toBe('ok')
    expect(codeOf(await attacker.client.auth.logout())).toBe('ok')
  })
})

describe('one account', () => {
  async function lock(username: string): Promise<void> {
    await times(100, (at) => login(username, 'wrong', from(`10.1.${at}.1`)))
  }

  test('is locked by a hundred failures in a row from anywhere, until its owner is let in otherwise', async () => {
    await lock('bert')
    server.clock.advance(29 * 24 * 60 * MINUTE)
    const locked = await buildVisitor(server.url).http.post('/api/auth/login', { username: 'bert', password: PASSWORD })
    expect([locked.status, locked.headers['retry-after']]).toEqual([429, '86400'])
    server = await server.restart()
    expect(await login('bert', PASSWORD, from('10.2.0.1'))).toBe('TOO_MANY_ATTEMPTS')
  })

  test('is not locked by ninety-nine, and a success counts anew', async () => {
    await times(99, (at) => login('bert', 'wrong', from(`10.3.${at}.1`)))
    expect(await login('bert', PASSWORD)).toBe('ok')
    await times(3, (at) => login('bert', 'wrong', from(`10.4.${at}.1`)))
    expect(await login('bert', PASSWORD)).toBe('ok')
  })

  test('of the only superuser never locks him out of his own machine, whoever tried', async () => {
    await lock('ann')
    expect(await login('ann', ADMIN.password, from('10.2.0.2'))).toBe('TOO_MANY_ATTEMPTS')
    expect(await login('ann', ADMIN.password)).toBe('ok')
    expect(await login('ann', ADMIN.password, from('10.2.0.2'))).toBe('ok')
  })

  test('that nobody has is locked alike, so that a lock tells nothing', async () => {
    await lock('nobody')
    expect(await login('nobody', 'wrong', from('10.2.0.3'))).toBe('TOO_MANY_ATTEMPTS')
  })
})

describe('counters that cannot be read or written', () => {
  test.each(['blockedUntil', 'fail'] as const)('close access, they never open it: %s', async (verb) => {
    server.storage.limits[verb] = () => Promise.reject(new Error('the disk is gone'))
    const wrong = await buildVisitor(server.url).http.post('/api/auth/login', { username: 'bert', password: 'wrong' })
    expect(wrong.status).toBeGreaterThanOrEqual(500)
    expect(wrong.headers['set-cookie']).toBeUndefined()
    expect(JSON.stringify(wrong.data)).not.toContain('disk')
  })

  test('let nobody in even with the right password', async () => {
    server.storage.limits.blockedUntil = () => Promise.reject(new Error('the disk is gone'))
    for (const visitor of [buildVisitor(server.url), from('10.0.0.1')])
      expect(await login('bert', PASSWORD, visitor)).toBe('INTERNAL')
  })

  test('keep no name in the clear: people type passwords into the wrong box', async () => {
    const keys: string[] = []
    const { fail } = server.storage.limits
    server.storage.limits.fail = (key, rule, now) => {
      keys.push(key)
      return fail(key, rule, now)
    }
    await login('hunter2-hunter2', 'wrong', from('10.0.0.2'))
    expect(keys).toHaveLength(3)
    expect(keys.join()).not.toContain('hunter2')
  })
})
