import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'

let server: TestServer
let root: Visitor
beforeAll(async () => {
  server = await startTestServer()
  root = await buildSuperuser(server)
  for (let at = 0; at < 25; at += 1) {
    server.clock.advance(at % 3 === 0 ? 1000 : 0)
    await createUser(root, {
      username: `u${String(at).padStart(2, '0')}`,
      email: `mail${at}@example.org`,
      display_name: at === 7 ? 'Жанна 50%_!' : null,
    })
  }
})
afterAll(() => server.end())

type Query = NonNullable<Parameters<Visitor['client']['users']['list']>[0]>['query']
const page = async (query: Query) => dataOf(await root.client.users.list(query ? { query } : {}))

/** Every user name, page by page; `between` runs after each page. */
async function walk(
  query: NonNullable<Query>,
  between: () => Promise<unknown> = async () => undefined,
): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  do {
    const { items, next_cursor } = await page({ ...query, ...(cursor === undefined ? {} : { cursor }) })
    names.push(...items.map(({ username }) => username))
    cursor = next_cursor ?? undefined
    await between()
  } while (cursor !== undefined)
  return names
}

describe('paging', () => {
  test.each(['username', '-username', 'created_at', '-created_at', 'last_sign_in_at', '-last_sign_in_at'] as const)(
    'by %s meets everybody once, whatever the size of a page',
    async (sort) => {
      const whole = (await page({ sort, limit: '200' })).items.map(({ username }) => username)
      expect(whole).toHaveLength(26)
      for (const limit of ['1', '4', '25', '26']) expect(await walk({ sort, limit })).toEqual(whole)
    },
  )

  test('is stable while users are added before and after the place read', async () => {
    let made = 0
    const names = await walk({ limit: '5' }, () =>
      createUser(root, { username: `a${String((made += 1)).padStart(2, '0')}` }),
    )
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => name.startsWith('u'))).toHaveLength(25)
  })

  test('is fifty a page unless asked, and tells how many there are', async () => {
    const { items, total, next_cursor } = await page({})
    expect([items.length, next_cursor]).toEqual([total, null])
    expect((await page({ limit: '1' })).total).toBe(total)
  })

  test.each(['0', '201', '-1', '1.5', 'ten', '', '1e2', '٣'])('takes no limit of %j', async (limit) => {
    expect(codeOf(await root.client.users.list({ query: { limit } }))).toBe('INVALID_QUERY')
  })

  const odd: [string, unknown][] = [
    ['of another sort', ['created_at', 5, 1]],
    ['with a list inside', ['username', ['a'], 1]],
    ['with an object inside', ['username', { a: 1 }, 1]],
    ['with NUL inside', ['username', 'a\u0000', 1]],
    ['with a word for a number', ['created_at', 'a', 1]],
    ['with half a number', ['created_at', 1.5, 1]],
    ['with an id beyond the database', ['username', 'u01', 2 ** 40]],
    ['that is null', null],
  ]
  test.each(odd)('begins anew at a cursor %s', async (_what, value) => {
    const cursor = Buffer.from(JSON.stringify(value)).toString('base64url')
    for (const sort of ['username', 'created_at'] as const) {
      if (Array.isArray(value) && value[0] === sort && _what === 'of another sort') continue
      expect((await page({ sort, cursor, limit: '3' })).items).toEqual((await page({ sort, limit: '3' })).items)
    }
  })

  test('begins anew at a cursor that is noise', async () => {
    const first = (await page({ limit: '3' })).items
    for (const cursor of ['x', '%', '😀', "' or 1=1"]) expect((await page({ cursor, limit: '3' })).items).toEqual(first)
    expect(codeOf(await root.client.users.list({ query: { cursor: 'x'.repeat(513) } }))).toBe('INVALID_QUERY')
  })
})

describe('search', () => {
  const found = async (q: string) => (await page({ q })).items.map(({ username }) => username)

  test('looks at name, display name and mail address, in any case and script', async () => {
    expect(await found('U03')).toEqual(['u03'])
    expect(await found('MAIL12@')).toEqual(['u12'])
    expect(await found('жАННА')).toEqual(['u07'])
    expect(await found(' u03 ')).toEqual(['u03'])
  })

  test('takes signs of the pattern language for what they are', async () => {
    expect(await found('50%_!')).toEqual(['u07'])
    expect(await found('_%')).toEqual([])
    for (const q of ['%', '_', '!', "'", '\\', '*']) expect((await found(q)).length).toBeLessThanOrEqual(1)
  })

  test('by state', async () => {
    const names = async (state: 'enabled' | 'disabled' | 'superuser') =>
      (await page({ state, limit: '200' })).items.map(({ username }) => username)
    await createUser(root, { username: 'zz-off', enabled: false })
    expect(await names('disabled')).toEqual(['zz-off'])
    expect(await names('superuser')).toEqual(['ann'])
    expect(await names('enabled')).not.toContain('zz-off')
  })
})
