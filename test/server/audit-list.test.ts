import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditEntry } from '../../api/audit.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSignedIn, buildSuperuser, buildVisitor, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { allEntries, exportLines, wholeChain } from './audit-exports.ts'

const PASSWORD = 'wooden quiet lamp'

let server: TestServer
let ann: Visitor
beforeAll(async () => {
  server = await startTestServer()
  ann = await buildSuperuser(server)
  for (const username of ['bob', 'bea', 'carl']) {
    await createUser(ann, { username, password: PASSWORD })
    await buildSignedIn(server, username, PASSWORD)
    await buildVisitor(server.url).client.auth.login({ body: { username, password: 'wrong' } })
    server.clock.advance(2_000_000)
  }
})
afterAll(() => server.end())

describe('the list', () => {
  test('shows what the export holds, page by page, and the hours count it', async () => {
    const entries = await allEntries(ann)
    const exported = (await exportLines(ann, 'jsonl')).slice(0, -2).map((line): AuditEntry => JSON.parse(line))
    expect(entries).toEqual(exported)
    const hour = 3_600_000
    const from = new Date(server.clock() - 24 * hour).toISOString()
    const to = new Date(server.clock() + hour).toISOString()
    const { hours } = dataOf(await ann.client.audit.activity({ query: { from, to } }))
    expect(hours.reduce((sum, { signed_in }) => sum + signed_in, 0)).toBe(
      entries.filter(({ event }) => event === 'sign_in').length,
    )
    const far = { from: '2020-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }
    expect((await ann.http.get('/api/audit/activity', { params: far })).status).toBe(400)
  })

  test('finds nothing where an event is asked for with the outcome that it never has', async () => {
    const { items, total } = dataOf(await ann.client.audit.list({ query: { event: 'sign_in', outcome: 'refused' } }))
    expect([items, total]).toEqual([[], 0])
    expect(await exportLines(ann, 'jsonl', { event: 'sign_in', outcome: 'refused' })).toHaveLength(1)
  })

  test.each(['0', '-1', 'x', '99999999999', '1e3', Buffer.from('[1]').toString('base64url')])(
    'begins at the first page for the cursor %s',
    async (cursor) => {
      const { items } = dataOf(await ann.client.audit.list({ query: { cursor, limit: '3' } }))
      expect(items[0]?.seq).toBe((await server.storage.audit.head()).seq)
    },
  )

  test('is for those with the permission, and for no developer token', async () => {
    await createUser(ann, { username: 'iris', password: PASSWORD, permissions: ['AUDIT_LOG'] })
    const iris = await buildSignedIn(server, 'iris', PASSWORD)
    expect((await iris.http.get('/api/audit')).status).toBe(200)
    expect((await iris.http.get('/api/audit/export?format=csv')).headers['content-disposition']).toMatch(
      /^attachment; filename="latchkey-audit-[\d-]+\.csv"$/,
    )
    expect((await buildVisitor(server.url).http.get('/api/audit/export?format=csv')).status).toBe(401)
  })
})

test('a hundred acts at once leave a hundred entries in one chain', async () => {
  const before = (await wholeChain(server)).length
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      buildVisitor(server.url).http.post('/api/auth/login', { username: `nobody-${index}`, password: 'wrong' }),
    ),
  )
  const left = (await wholeChain(server)).slice(before)
  expect(left.map(({ request_id }) => request_id).sort()).toEqual(
    answers.map(({ headers }) => headers['x-request-id']).sort(),
  )
  const chain = await wholeChain(server)
  expect(chain.map(({ seq }) => seq)).toEqual(chain.map((_, index) => index + 1))
  for (const [index, entry] of chain.slice(1).entries()) expect(entry.previous).toBe(chain[index]?.hash)
})
