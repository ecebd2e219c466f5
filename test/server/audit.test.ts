import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AUDIT_EVENTS, type AuditEntry } from '../../api/audit.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import {
  ADMIN,
  buildSignedIn,
  buildSuperuser,
  buildVisitor,
  createUser,
  dataOf,
  type Visitor,
} from '../helpers/visitor.ts'
import { buildSession } from '../storage/builders.ts'
import { exportLines, OF_ELSEWHERE, wholeChain } from './audit-exports.ts'
import { makeLoginToken } from './entries.ts'
import { check, linesOf, run } from './imports.ts'
import { codeAt } from './totp-codes.ts'

const AGENT = 'Audit Test/1.0'
const PASSWORD = 'wooden quiet lamp'
const TYPED = 'my-password-in-the-name-box'

/** What an act must leave in the audit. */
interface Expected extends Partial<Pick<AuditEntry, 'actor' | 'target' | 'method'>> {
  event: (typeof AUDIT_EVENTS)[number]
  detail?: object
}

let server: TestServer
let ann: Visitor
/** Every entry that an act has left. */
const met = new Set<string>()
/** Everything that must never be written down. */
const secrets = new Set<string>([ADMIN.password, PASSWORD, TYPED, 'wrong'])

beforeAll(async () => {
  server = await startTestServer()
  secrets.add(server.setupToken ?? '')
  const stranger = buildVisitor(server.url, { 'User-Agent': AGENT })
  const refused = await expectEntries(
    stranger,
    () => post(stranger, '/api/auth/setup', { setup_token: 'wrong', ...ADMIN, confirm_password: ADMIN.password }),
    [{ event: 'sign_in_refused', method: 'startup_token', detail: { reason: 'SETUP_TOKEN_INVALID' } }],
  )
  expect(refused).toBe(401)
  ann = visitorOf(await buildSuperuser(server))
})
afterAll(() => server.end())

/** The same visitor with a program of known name, whose answers are remembered. */
function visitorOf(visitor: Visitor): Visitor {
  visitor.http.defaults.headers.common['User-Agent'] = AGENT
  visitor.http.interceptors.response.use((answer) => {
    for (const value of visitor.cookies.values()) secrets.add(value)
    noteSecrets(answer.data?.data)
    return answer
  })
  return visitor
}

function noteSecrets(data: unknown): void {
  const secret = /"(?:token|secret|login_url|temporary_token)":"([^"]+)"/g
  for (const [, value = ''] of JSON.stringify(data ?? {}).matchAll(secret)) secrets.add(value.replace(/.*#/, ''))
}

async function post(visitor: Visitor, path: string, body: object, method = 'POST') {
  return visitor.http.request({ method, url: path, data: body })
}

/** Does something over the wire and compares what it left in the audit, in order; answers the status of the answer. */
async function expectEntries(
  visitor: Visitor,
  act: () => Promise<{ status: number; headers: unknown }>,
  expected: Expected[],
): Promise<number> {
  const before = (await wholeChain(server)).length
  visitor.http.defaults.headers.common['User-Agent'] = AGENT
  const answer = await act()
  const left = (await wholeChain(server)).slice(before)
  const request_id = new Map(Object.entries(answer.headers ?? {})).get('x-request-id')
  const at = new Date(server.clock()).toISOString()
  expect(left).toMatchObject(
    expected.map((entry) => ({
      actor: null,
      target: null,
      method: null,
      detail: {},
      at,
      ip: '127.0.0.1',
      user_agent: AGENT,
      request_id,
      ...entry,
    })),
  )
  expect(left.map(({ event }) => event)).toEqual(expected.map(({ event }) => event))
  for (const { event, outcome } of left) {
    met.add(event)
    expect(outcome, event).toBe(/refused|limited/.test(event) ? 'refused' : 'success')
  }
  server.clock.advance(1_000)
  return answer.status
}

const login = (visitor: Visitor, body: object) => post(visitor, '/api/auth/login', body)
const self = (name: string) => ({ actor: name, target: name })

describe('the audit tells', () => {
  test('who signed in and by what, who was refused and why, and who went', async () => {
    await createUser(ann, { username: 'bob', password: PASSWORD })
    const bob = visitorOf(buildVisitor(server.url))
    await expectEntries(bob, () => login(bob, { username: 'bob', password: 'wrong' }), [
      { event: 'sign_in_refused', target: 'bob', method: 'password', detail: { reason: 'INCORRECT_CREDENTIALS' } },
    ])
    await expectEntries(bob, () => login(bob, { username: TYPED, password: 'wrong' }), [
      { event: 'sign_in_refused', method: 'password', detail: { reason: 'INCORRECT_CREDENTIALS' } },
    ])
    await expectEntries(bob, () => login(bob, { login_type: 'temporary_token', temporary_token: 'wrong' }), [
      { event: 'sign_in_refused', method: 'startup_token', detail: { reason: 'TEMPORARY_TOKEN_INVALID' } },
    ])
    await expectEntries(bob, () => login(bob, { login_type: 'login_token', login_token: 'wrong' }), [
      { event: 'sign_in_refused', method: 'login_token', detail: { reason: 'LOGIN_TOKEN_INVALID' } },
    ])
    await expectEntries(bob, () => login(bob, { username: 'bob', password: PASSWORD }), [
      { event: 'sign_in', ...self('bob'), method: 'password', detail: { amr: ['pwd'] } },
    ])
    await expectEntries(bob, () => post(bob, '/api/auth/reauth', { password: 'wrong' }), [
      { event: 'reauthentication_refused', ...self('bob') },
    ])
    await expectEntries(bob, () => post(bob, '/api/auth/reauth', { password: PASSWORD }), [
      { event: 'reauthenticated', ...self('bob') },
    ])
    await createUser(ann, { username: 'bea', password: PASSWORD })
    await expectEntries(bob, () => login(bob, { username: 'bea', password: PASSWORD, add_account: true }), [
      { event: 'sign_in', ...self('bea'), method: 'password' },
    ])
    const bob_id = (await server.storage.users.findByName('bob'))?.user_id
    await expectEntries(bob, () => bob.http.post(`/api/auth/logout?switch_to=${bob_id}`), [
      { event: 'account_switched', actor: 'bea', target: 'bob' },
    ])
    await expectEntries(bob, () => bob.http.post('/api/auth/logout'), [{ event: 'sign_out', ...self('bob') }])
  })

  test('the break-glass token: its making, its use and its withdrawal', async () => {
    const before = (await wholeChain(server)).length
    const token = server.mintStartupToken()
    secrets.add(token)
    await expect.poll(async () => (await wholeChain(server)).length).toBe(before + 1)
    expect((await wholeChain(server)).at(-1)).toMatchObject({
      event: 'startup_token_minted',
      actor: null,
      ip: null,
      user_agent: null,
      request_id: null,
    })
    met.add('startup_token_minted')
    const glass = visitorOf(buildVisitor(server.url))
    await expectEntries(glass, () => login(glass, { login_type: 'temporary_token', temporary_token: token }), [
      { event: 'sign_in', ...self('ann'), method: 'startup_token', detail: { amr: ['startup'] } },
    ])
    secrets.add(server.mintStartupToken())
    await expect.poll(async () => (await wholeChain(server)).at(-1)?.event).toBe('startup_token_minted')
    await expectEntries(
      ann,
      () => post(ann, '/api/access/revoke', { items: [{ kind: 'startup_token', id: 'startup' }] }),
      [{ event: 'startup_token_revoked', actor: 'ann' }],
    )
  })

  test('the second factor: on, proved, refused, recovered, new codes, off, reset by another', async () => {
    const carl_id = await createUser(ann, { username: 'carl', password: PASSWORD })
    const carl = visitorOf(await buildSignedIn(server, 'carl', PASSWORD))
    const { secret } = dataOf(await carl.client.auth.totpSetup())
    secrets.add(secret)
    let codes: string[] = []
    await expectEntries(carl, async () => {
      const answer = await post(carl, '/api/auth/totp/confirm', { code: codeAt(server, secret) })
      codes = answer.data.data.recovery_codes
      for (const code of codes) secrets.add(code)
      return answer
    }, [{ event: 'second_factor_enabled', ...self('carl') }])
    const other = visitorOf(buildVisitor(server.url))
    const body = { username: 'carl', password: PASSWORD }
    await expectEntries(other, () => login(other, body), [
      { event: 'sign_in_refused', target: 'carl', method: 'password', detail: { reason: 'TOTP_REQUIRED' } },
    ])
    await expectEntries(other, () => login(other, { ...body, code: codes[0], trust_device_flag: true }), [
      { event: 'recovery_code_used', ...self('carl') },
      { event: 'sign_in', ...self('carl'), method: 'password', detail: { amr: ['pwd', 'recovery'] } },
      { event: 'device_trusted', ...self('carl') },
    ])
    const device = dataOf(await other.client.auth.trustedDevices()).devices[0]?.device_id
    await expectEntries(other, () => other.http.delete(`/api/auth/trusted-devices/${device}`), [
      { event: 'device_distrusted', ...self('carl') },
    ])
    await expectEntries(carl, () => post(carl, '/api/auth/totp/recovery', { code: '111111' }), [
      { event: 'reauthentication_refused', ...self('carl') },
    ])
    await expectEntries(carl, async () => {
      const answer = await post(carl, '/api/auth/totp/recovery', { code: codes[1] })
      codes = answer.data.data.recovery_codes
      for (const code of codes) secrets.add(code)
      return answer
    }, [
      { event: 'recovery_code_used', ...self('carl') },
      { event: 'recovery_codes_replaced', ...self('carl') },
    ])
    await expectEntries(carl, () => post(carl, '/api/auth/totp/disable', { code: codes[0] }), [
      { event: 'recovery_code_used', ...self('carl') },
      { event: 'second_factor_disabled', ...self('carl') },
    ])
    const again = dataOf(await carl.client.auth.totpSetup()).secret
    server.clock.advance(60_000)
    for (const code of dataOf(await carl.client.auth.totpConfirm({ body: { code: codeAt(server, again) } }))
      .recovery_codes)
      secrets.add(code)
    await expectEntries(ann, () => ann.http.delete(`/api/v2/users/${carl_id}/totp`), [
      { event: 'second_factor_reset', actor: 'ann', target: 'carl' },
    ])
  })

  test('passwords: changed, refused, reset, and a temporary one taken back', async () => {
    const dora_id = await createUser(ann, { username: 'dora', password: PASSWORD })
    const dora = visitorOf(await buildSignedIn(server, 'dora', PASSWORD))
    for (const chosen of ['tall grass at noon', 'temporary one 2', 'temporary one 3']) secrets.add(chosen)
    const change = (current_password: string) =>
      post(dora, '/api/v2/users/@me', { password: 'tall grass at noon', current_password }, 'PATCH')
    await expectEntries(dora, () => change('wrong'), [
      { event: 'password_change_refused', ...self('dora'), detail: { reason: 'CURRENT_PASSWORD_WRONG' } },
    ])
    await expectEntries(dora, () => change(PASSWORD), [{ event: 'password_changed', ...self('dora') }])
    await expectEntries(
      ann,
      () => post(ann, `/api/v2/users/${dora_id}/reset-password`, { password: 'temporary one 2', expires_hours: 2 }),
      [
        {
          event: 'password_reset',
          actor: 'ann',
          target: 'dora',
          detail: {
            require_password_change: true,
            password_expires: new Date(server.clock() + 7_200_000).toISOString(),
            revoke_developer_tokens: false,
          },
        },
      ],
    )
    await expectEntries(
      ann,
      () => post(ann, '/api/access/revoke', { items: [{ kind: 'temporary_password', id: String(dora_id) }] }),
      [{ event: 'temporary_password_revoked', actor: 'ann', target: 'dora' }],
    )
  })

  test('people: made, edited, disabled, enabled, deleted under their name', async () => {
    await expectEntries(
      ann,
      () => post(ann, '/api/v2/users', { username: 'eve', email: 'eve@example.org', password: PASSWORD }),
      [{ event: 'user_created', actor: 'ann', target: 'eve', detail: { fields: ['username', 'email'] } }],
    )
    const path = `/api/v2/users/${(await server.storage.users.findByName('eve'))?.user_id}`
    await expectEntries(ann, () => post(ann, path, { display_name: 'Eve' }, 'PATCH'), [
      { event: 'user_edited', actor: 'ann', target: 'eve', detail: { fields: ['display_name'] } },
    ])
    const rights = { from: { permissions: [] }, to: { permissions: ['AUDIT_LOG'] } }
    await expectEntries(ann, () => post(ann, path, { permissions: ['AUDIT_LOG'] }, 'PATCH'), [
      { event: 'user_edited', actor: 'ann', target: 'eve', detail: { fields: ['permissions'], rights } },
    ])
    await expectEntries(ann, () => post(ann, path, { enabled: false }, 'PATCH'), [
      { event: 'user_edited', actor: 'ann', target: 'eve' },
      { event: 'user_disabled', actor: 'ann', target: 'eve' },
    ])
    await expectEntries(ann, () => post(ann, path, { enabled: true }, 'PATCH'), [
      { event: 'user_edited', actor: 'ann', target: 'eve' },
      { event: 'user_enabled', actor: 'ann', target: 'eve' },
    ])
    await expectEntries(ann, () => ann.http.delete(path), [{ event: 'user_deleted', actor: 'ann', target: 'eve' }])
  })

  test('imports: done by whom, and taken back', async () => {
    const before = (await wholeChain(server)).length
    const { params } = await check(ann, linesOf([{ username: 'imported-1' }]))
    await run(ann, params)
    await expect.poll(async () => (await wholeChain(server)).length).toBe(before + 1)
    const second = await check(ann, linesOf([{ username: 'imported-2' }]))
    await createUser(ann, { username: 'imported-2' })
    expect(await run(ann, second.params)).toMatchObject({ state: 'undone' })
    await expect.poll(async () => (await wholeChain(server)).at(-1)?.event).toBe('users_import_undone')
    const [imported, , undone] = (await wholeChain(server)).slice(before)
    expect(imported).toMatchObject({
      event: 'users_imported',
      actor: 'ann',
      detail: { ...params, count: 1 },
      ip: '127.0.0.1',
      request_id: expect.any(String),
    })
    expect(undone).toMatchObject({ event: 'users_import_undone', actor: 'ann', detail: { reason: 'conflict' } })
    met.add('users_imported').add('users_import_undone')
  })

  test('sessions, developer tokens and login tokens: made, used and ended by whom', async () => {
    const fred_id = await createUser(ann, { username: 'fred', password: PASSWORD })
    const fred = visitorOf(await buildSignedIn(server, 'fred', PASSWORD))
    await buildSignedIn(server, 'fred', PASSWORD)
    await expectEntries(fred, () => fred.http.post('/api/auth/sessions/revoke-others'), [
      { event: 'sessions_revoked', ...self('fred'), detail: { count: 1 } },
    ])
    const session_id = dataOf(await fred.client.auth.sessions()).sessions[0]?.session_id ?? ''
    await expectEntries(ann, () => ann.http.delete(`/api/v2/users/${fred_id}/sessions/${session_id}`), [
      { event: 'session_revoked', actor: 'ann', target: 'fred', detail: { session_id } },
    ])
    const developer = buildSession(fred_id, {
      kind: 'developer',
      created_at: server.clock(),
      authenticated_at: server.clock(),
      expires_at: server.clock() + 3_600_000,
    })
    await server.storage.sessions.create(developer)
    await expectEntries(
      ann,
      () => post(ann, '/api/access/revoke', { items: [{ kind: 'developer_token', id: developer.session_id }] }),
      [
        {
          event: 'developer_token_revoked',
          actor: 'ann',
          target: 'fred',
          detail: { session_id: developer.session_id },
        },
      ],
    )
    dataOf(await ann.client.auth.reauth({ body: { password: ADMIN.password } }))
    const mint = () =>
      post(ann, '/api/administration/users/login-tokens', {
        login_user_id: fred_id,
        expires_in: 600,
        reason: 'a reason',
      })
    await expectEntries(ann, mint, [{ event: 'login_token_created', actor: 'ann', target: 'fred' }])
    const minted = (await mint()).data.data
    const uuid = minted.uuid
    await expectEntries(ann, () => ann.http.delete(`/api/administration/users/login-tokens/${uuid}`), [
      { event: 'login_token_revoked', actor: 'ann', target: 'fred', detail: { uuid } },
    ])
    const login_token = await makeLoginToken(server, fred_id)
    secrets.add(login_token)
    const guest = visitorOf(buildVisitor(server.url))
    await expectEntries(guest, () => login(guest, { login_type: 'login_token', login_token }), [
      { event: 'sign_in', ...self('fred'), method: 'login_token', detail: { amr: ['link'] } },
      { event: 'login_token_used', ...self('fred'), method: 'login_token', detail: { made_by: 1 } },
    ])
  })

  test('settings: which, from what to what', async () => {
    await expectEntries(ann, () => post(ann, '/api/v2/settings', { name_failures: 2, session_idle: 86_400 }, 'PATCH'), [
      { event: 'settings_changed', actor: 'ann', detail: { changes: { name_failures: { from: 3, to: 2 } } } },
    ])
  })

  test('whom a limit stopped, and who tried what he may not', async () => {
    await createUser(ann, { username: 'gina', password: PASSWORD })
    const gina = visitorOf(await buildSignedIn(server, 'gina', PASSWORD))
    const other = buildVisitor(server.url, { 'User-Agent': AGENT })
    for (let index = 0; index < 2; index++) await login(other, { username: 'gina', password: 'wrong' })
    const limited = await expectEntries(other, () => login(other, { username: 'gina', password: PASSWORD }), [
      { event: 'limited', target: 'gina', detail: { scope: 'name' } },
    ])
    expect(limited).toBe(429)
    await expectEntries(gina, () => gina.http.get('/api/v2/users'), [
      { event: 'access_refused', actor: 'gina', detail: { code: 'ACCESS_DENIED', entry: '/api/v2/users' } },
    ])
    await expectEntries(gina, () => post(gina, '/api/v2/users/@me', { superuser: true }, 'PATCH'), [
      {
        event: 'access_refused',
        actor: 'gina',
        detail: { code: 'INVALID_FIELD_MODIFY', entry: '/api/v2/users/@me' },
      },
    ])
    await expectEntries(gina, () => post(gina, '/api/auth/sessions/revoke-others', {}), [])
    await expectEntries(gina, () => gina.http.get('/api/audit'), [
      { event: 'access_refused', actor: 'gina', detail: { code: 'ACCESS_DENIED', entry: '/api/audit' } },
    ])
    await expectEntries(gina, () => gina.http.get('/api/v2/users/1'), [
      {
        event: 'access_refused',
        actor: 'gina',
        target: 'ann',
        detail: { code: 'ACCESS_DENIED', entry: '/api/v2/users/:id' },
      },
    ])
  })

  test('floods of one refusal once a minute, with how many there were', async () => {
    await createUser(ann, { username: 'hugo', password: PASSWORD })
    const hugo = visitorOf(await buildSignedIn(server, 'hugo', PASSWORD))
    const look = () => hugo.http.get('/api/v2/settings')
    await expectEntries(hugo, look, [{ event: 'access_refused', actor: 'hugo' }])
    for (let index = 0; index < 5; index++) await expectEntries(hugo, look, [])
    server.clock.advance(60_000)
    await expectEntries(hugo, look, [{ event: 'access_refused', actor: 'hugo', detail: { left_out: 5 } }])
  })

  test('who took it away as a file', async () => {
    await expectEntries(ann, () => ann.http.get('/api/audit/export?format=csv&event=limited'), [
      { event: 'audit_exported', actor: 'ann', detail: { format: 'csv', filter: { event: 'limited' } } },
    ])
  })

  test('every event of its catalogue, but for those that have tests of their own', async () => {
    for (const { event } of await wholeChain(server)) met.add(event)
    expect(AUDIT_EVENTS.filter((event) => !met.has(event))).toEqual(OF_ELSEWHERE)
  })

  test('no password, token, code, cookie or name that was typed in vain', async () => {
    expect(secrets.size).toBeGreaterThan(50)
    secrets.delete('wrong')
    const text = [...(await exportLines(ann, 'jsonl')), ...(await exportLines(ann, 'csv'))].join('')
    for (const secret of secrets) if (secret !== '') expect(text.includes(secret), secret.slice(0, 4)).toBe(false)
    expect(text).not.toMatch(/eyJ[\w-]+\.eyJ|\$argon2/)
  })
})
