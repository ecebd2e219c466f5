import { pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto'
import { hash as argon2 } from '@node-rs/argon2'
import { hash as bcrypt } from '@node-rs/bcrypt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import {
  buildSignedIn,
  buildSuperuser,
  buildVisitor,
  codeOf,
  createUser,
  dataOf,
  type Visitor,
} from '../helpers/visitor.ts'
import { type Cells, check, linesOf, manyLines, run, statusOf, until } from './imports.ts'

const PASSWORD = 'wooden quiet lamp'

let server: TestServer
let root: Visitor
let chief: Visitor
let chiefId: number

beforeAll(async () => {
  server = await startTestServer()
  root = await buildSuperuser(server)
  const permissions = ['USER_CONFIG' as const, 'AUDIT_LOG' as const]
  chiefId = await createUser(root, { username: 'chief', password: PASSWORD, permissions })
  await createUser(root, { username: 'taken', email: 'taken@example.org' })
  chief = await buildSignedIn(server, 'chief', PASSWORD)
})
afterAll(() => server.end())

const named = (username: string) => server.storage.users.findByName(username)
/** The faults that the check finds, as `line field fault`. */
const faultsOf = async (visitor: Visitor, cells: readonly Cells[]) => {
  const { status } = await check(visitor, linesOf(cells))
  return status.faults.map(({ line, field, fault }) => `${line} ${field} ${fault}`)
}

describe('the check', () => {
  test('finds nothing in what is sound, however it is written', async () => {
    const rows = linesOf([
      { username: 'sound-1' },
      { username: ' Sound-2 ', email: ' Sound-2@Example.org', display_name: 'Zoë 漢字', lang: 'ZH-cn', enabled: 'No' },
      { username: 'sound-3', permissions: 'user_config;AUDIT_LOG, settings', superuser: 'YES', manager: 'Sound-1' },
      { username: 'sound-4', email: '', permissions: ' ', superuser: '', enabled: '', lang: '', manager: 'taken' },
    ])
    const { params, status } = await check(root, rows)
    expect(status).toEqual({
      state: 'checked',
      rows: 4,
      done: 4,
      faulty: 0,
      faults: [],
      imported: 0,
      reason: null,
    })
    expect(await run(root, params)).toMatchObject({ state: 'done', imported: 4, done: 4, faulty: 0 })
    const [one, two, three, four] = await Promise.all(['sound-1', 'sound-2', 'sound-3', 'sound-4'].map(named))
    expect(one).toMatchObject({ enabled: true, superuser: false, permissions: [], email: null, password_hash: null })
    expect(two).toMatchObject({ email: 'sound-2@example.org', display_name: 'Zoë 漢字', lang: 'zh-CN', enabled: false })
    expect(three).toMatchObject({ permissions: ['USER_CONFIG', 'AUDIT_LOG', 'SETTINGS'], superuser: true })
    expect(three?.manager_id).toBe(one?.user_id)
    expect(four).toMatchObject({ email: null, enabled: true, lang: null, superuser: false })
    expect(four?.manager_id).toBe((await named('taken'))?.user_id)
  })

  test.each<[Cells, string]>([
    [{ username: '' }, 'username missing'],
    [{ username: '  ' }, 'username missing'],
    [{ username: 'a b' }, 'username invalid'],
    [{ username: 'x'.repeat(33) }, 'username invalid'],
    [{ username: 'Zoë' }, 'username invalid'],
    [{ username: 'TAKEN' }, 'username taken'],
    [{ email: 'no mail' }, 'email invalid'],
    [{ email: 'Taken@example.org' }, 'email taken'],
    [{ display_name: 'x'.repeat(81) }, 'display_name invalid'],
    [{ display_name: 'a\0b' }, 'display_name invalid'],
    [{ display_name: '\ud800' }, 'display_name invalid'],
    [{ permissions: 'USER_CONFIG ROOT' }, 'permissions unknown'],
    [{ superuser: 'perhaps' }, 'superuser invalid'],
    [{ enabled: 'on' }, 'enabled invalid'],
    [{ manager: 'nobody-here' }, 'manager unknown'],
    [{ manager: '???' }, 'manager invalid'],
    [{ username: 'self-made', manager: 'self-made' }, 'manager invalid'],
    [{ lang: 'fr' }, 'lang invalid'],
    [{ password_hash: 'secret' }, 'password_hash invalid'],
    [{ password_hash: '5f4dcc3b5aa765d61d8327deb882cf99' }, 'password_hash invalid'],
    [
      { password_hash: '$argon2id$v=19$m=4194304,t=400,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g' },
      'password_hash invalid',
    ],
    [{ password_hash: '$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234' }, 'password_hash invalid'],
    [{ password_hash: '$scrypt$ln=30,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2g' }, 'password_hash invalid'],
    [{ password_hash: 'pbkdf2_sha256$9999999$salt$aGFzaGhhc2hoYXNoaGFzaGhhc2g=' }, 'password_hash invalid'],
    [{ password_hash: '$pbkdf2-sha256$1000$c2FsdA$eA' }, 'password_hash invalid'],
  ])('finds the fault of %j', async (cells, fault) => {
    expect(await faultsOf(root, [{ username: 'whoever' }, { username: 'somebody', ...cells }])).toEqual([`3 ${fault}`])
  })

  test('finds what is repeated in the file, and who was meant to manage from a faulty or a later line', async () => {
    const faults = await faultsOf(root, [
      { username: 'twice', email: 'one@example.org' },
      { username: 'Twice' },
      { username: 'thrice', email: 'One@example.org' },
      { username: 'lower', manager: 'later' },
      { username: 'later' },
      { username: 'child', manager: 'thrice' },
      { username: 'grandchild', manager: 'child' },
    ])
    expect(faults).toEqual([
      '3 username repeated',
      '4 email repeated',
      '5 manager unknown',
      '7 manager unknown',
      '8 manager unknown',
    ])
  })

  test('tells the first 500 faults and counts the lines of all', async () => {
    const rows = manyLines(700, 'faulty').map((row) => ({ ...row, lang: 'xx', enabled: 'xx' }))
    const { status } = await check(root, rows)
    expect([status.faulty, status.faults.length, status.done]).toEqual([700, 500, 700])
    expect(status.faults.at(-1)).toEqual({ line: 251, field: 'lang', fault: 'invalid' })
  })

  test('may be made again, when the world has changed', async () => {
    const { params, status } = await check(root, linesOf([{ username: 'moving' }]))
    expect(status.faulty).toBe(0)
    await createUser(root, { username: 'moving' })
    dataOf(await root.client.userImports.check({ params }))
    expect(await until(root, params, 'checked')).toMatchObject({ faulty: 1 })
  })
})

describe('who is no superuser', () => {
  test('gives away no more than he has, and manages all whom he makes', async () => {
    const faults = await faultsOf(chief, [
      { username: 'his-1', superuser: 'yes' },
      { username: 'his-2', permissions: 'SETTINGS' },
      { username: 'his-3', manager: 'ann' },
      { username: 'his-4', manager: 'nobody-here' },
      { username: 'his-5', manager: 'his-1' },
    ])
    expect(faults).toEqual([
      '2 superuser forbidden',
      '3 permissions forbidden',
      '4 manager forbidden',
      '5 manager forbidden',
      '6 manager forbidden',
    ])
    const cells = [
      { username: 'his-6', permissions: 'audit_log' },
      { username: 'his-7', manager: 'chief', superuser: 'no' },
    ]
    const { params } = await check(chief, linesOf(cells))
    expect(await run(chief, params)).toMatchObject({ state: 'done', imported: 2 })
    expect((await named('his-6'))?.manager_id).toBe(chiefId)
    expect((await named('his-7'))?.manager_id).toBe(chiefId)
  })

  test('has imports of his own only; a superuser sees none of them either', async () => {
    const { params } = await check(chief, linesOf([{ username: 'hidden' }]))
    const { begin: _, ...others } = root.client.userImports
    const codes = [
      await others.read({ params }),
      await others.check({ params }),
      await others.run({ params, body: { skip_faulty: true } }),
      await others.addPart({ params, body: { part: 1, rows: linesOf([{ username: 'foreign' }]) } }),
      await others.remove({ params }),
    ].map(codeOf)
    expect(new Set(codes)).toEqual(new Set(['IMPORT_NOT_FOUND']))
    expect(await statusOf(chief, params)).toMatchObject({ state: 'checked', rows: 1 })
  })
})

describe('the parts', () => {
  test('are taken in order, and the last one again', async () => {
    const params = dataOf(await root.client.userImports.begin())
    const send = async (part: number, username = 'someone') =>
      root.client.userImports.addPart({ params, body: { part, rows: linesOf([{ username }]) } })
    expect(codeOf(await send(1))).toBe('IMPORT_STATE')
    expect(dataOf(await send(0))).toEqual({ rows: 1 })
    expect(dataOf(await send(0))).toEqual({ rows: 1 })
    expect(dataOf(await send(1))).toEqual({ rows: 2 })
    expect(codeOf(await send(0))).toBe('IMPORT_STATE')
    expect(codeOf(await send(3))).toBe('IMPORT_STATE')
    expect(codeOf(await root.client.userImports.run({ params, body: { skip_faulty: false } }))).toBe('IMPORT_STATE')
    dataOf(await root.client.userImports.check({ params }))
    expect(codeOf(await send(2))).toBe('IMPORT_STATE')
    await until(root, params, 'checked')
    expect(codeOf(await send(2))).toBe('IMPORT_STATE')
  })

  test.each<[string, object]>([
    ['a cell that is too long', { part: 0, rows: [{ line: 1, username: 'x'.repeat(513) }] }],
    ['a cell that is no text', { part: 0, rows: [{ line: 1, username: 5 }] }],
    ['a cell of null', { part: 0, rows: [{ line: 1, username: 'x', email: null }] }],
    ['an unknown column', { part: 0, rows: [{ line: 1, username: 'x', user_id: '1' }] }],
    ['a line that is none', { part: 0, rows: [{ line: -1, username: 'x' }] }],
    ['no lines', { part: 0, rows: [] }],
    ['too many lines', { part: 0, rows: Array.from({ length: 1001 }, () => ({ line: 1, username: '' })) }],
    ['a part that is no number', { part: '0', rows: [{ line: 1, username: 'x' }] }],
    ['a part below nothing', { part: -1, rows: [{ line: 1, username: 'x' }] }],
  ])('with %s are refused', async (_what, body) => {
    const { import_id } = dataOf(await root.client.userImports.begin())
    const answer = await root.http.post(`/api/v2/users/imports/${import_id}/parts`, body)
    expect([answer.status, answer.data.error]).toEqual([400, 'INVALID_JSON_SCHEMA'])
  })

  test('are too large beyond 64 KiB', async () => {
    const { import_id } = dataOf(await root.client.userImports.begin())
    const rows = Array.from({ length: 140 }, () => ({ line: 1, username: 'x'.repeat(512) }))
    const answer = await root.http.post(`/api/v2/users/imports/${import_id}/parts`, { part: 0, rows })
    expect(answer.data.error).toBe('PAYLOAD_TOO_LARGE')
  })

  test('come to at most 200,000 lines', async () => {
    const params = dataOf(await root.client.userImports.begin())
    const limits = { rows: 200_000, characters: 1e8 }
    const full = { part: 0, rows: '[]', count: 200_000 }
    await server.storage.userImports.addPart(params.import_id, full, limits, server.clock())
    const body = { part: 1, rows: linesOf([{ username: 'one-more' }]) }
    const answer = await root.client.userImports.addPart({ params, body })
    expect(answer).toMatchObject({ error: { code: 'IMPORT_TOO_LARGE', status: 413 } })
  })

  test('are wanted before a check, and an id that is none is nothing', async () => {
    const params = dataOf(await root.client.userImports.begin())
    expect(codeOf(await root.client.userImports.check({ params }))).toBe('IMPORT_STATE')
    expect(codeOf(await root.client.userImports.read({ params: { import_id: '../../users' } }))).toBe('NOT_FOUND')
  })
})

describe('a password hash', () => {
  const salt = randomBytes(16)
  const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  const key = scryptSync(PASSWORD, salt, 32, { N: 1024, r: 8, p: 1 })

  test.each<[string, () => Promise<string> | string]>([
    ['argon2id', () => argon2(PASSWORD, { memoryCost: 4096, timeCost: 1, parallelism: 2 })],
    ['bcrypt', () => bcrypt(PASSWORD, 6)],
    ['pbkdf2', () => `$pbkdf2-sha512$i=1000$${base64(salt)}$${base64(pbkdf2Sync(PASSWORD, salt, 1000, 64, 'sha512'))}`],
    [
      'django',
      () => `pbkdf2_sha256$1000$pepper$${pbkdf2Sync(PASSWORD, 'pepper', 1000, 32, 'sha256').toString('base64')}`,
    ],
    ['scrypt', () => `$scrypt$ln=10,r=8,p=1$${base64(salt)}$${base64(key)}`],
  ])('of %s lets its owner in, and is made one of ours; it shows nowhere', async (what, make) => {
    const password_hash = await make()
    const username = `hash-${what}`
    const { params, status } = await check(root, linesOf([{ username, password_hash }]))
    const end = await run(root, params)
    expect(end).toMatchObject({ state: 'done' })
    expect(JSON.stringify([status, end])).not.toContain(password_hash.slice(-12))
    const visitor = buildVisitor(server.url)
    expect(codeOf(await visitor.client.auth.login({ body: { username, password: 'another' } }))).toBe(
      'INCORRECT_CREDENTIALS',
    )
    expect(codeOf(await visitor.client.auth.login({ body: { username, password: PASSWORD } }))).toBe('ok')
    expect((await named(username))?.password_hash).toContain('$argon2id$v=19$m=19456')
    expect(await server.storage.userImports.part(params.import_id, 0)).toBeUndefined()
  })
})
