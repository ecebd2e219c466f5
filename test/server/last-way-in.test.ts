import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { errorTexts } from '../../api/texts/index.ts'
import { ADMIN, buildSignedIn, buildVisitor, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { type AtprotoWorld, linkedUser, signInAs, startWorld } from './atproto.ts'
import { makeLoginToken } from './entries.ts'

/** Ann's password is proven: she chose it at the set-up. Root is a superuser too, but nobody knows whether he can come in. */

const PASSWORD = 'wooden quiet lamp'
const TEMPORARY = 'Temp-4711-hearth'

let world: AtprotoWorld
let ann: Visitor
let root: number

beforeEach(async () => {
  world = await startWorld()
  ann = world.admin
  root = await createUser(ann, { username: 'root', password: PASSWORD, superuser: true })
})
afterEach(() => world.end())

const idOf = (user_id: number) => ({ params: { id: String(user_id) } })
const own = { user_id: 1, username: 'ann', way: 'password' } as const
const edit = (by: Visitor, user_id: number, body: object) => by.client.users.edit({ ...idOf(user_id), body })
const reset = (by: Visitor, user_id: number) =>
  by.client.users.resetPassword({ ...idOf(user_id), body: { password: TEMPORARY } })
const switchOff = (by = ann) => by.client.settings.change({ body: { atproto_enabled: false } })

/** Somebody, come in by what is no way of his own. */
async function byToken(user_id: number, made_by = 1): Promise<Visitor> {
  const visitor = buildVisitor(world.server.url)
  const login_token = await makeLoginToken(world.server, user_id, { user_id: made_by })
  dataOf(await visitor.client.auth.login({ body: { login_type: 'login_token', login_token } }))
  return visitor
}

const REFUSED: [string, (by: Visitor) => Promise<{ ok: boolean; error?: unknown }>][] = [
  ['disables her', (by) => edit(by, 1, { enabled: false })],
  ['demotes her', (by) => edit(by, 1, { superuser: false })],
  ['deletes her', (by) => by.client.users.remove(idOf(1))],
]

describe('the last proven way in', () => {
  test.each(REFUSED)('stays when another superuser %s, and when she does so herself', async (_what, change) => {
    const before = await world.server.storage.users.find(1)
    for (const by of [await byToken(root), ann]) {
      expect(await change(by)).toMatchObject({
        ok: false,
        error: { code: 'LAST_WAY_IN', status: 409, data: { whose: 'administrators', left: [own] } },
      })
    }
    expect({ ...(await world.server.storage.users.find(1)) }).toEqual(before)
    await buildSignedIn(world.server, 'root', PASSWORD)
    expect((await change(ann)).ok).toBe(true)
  })

  test('stays when another superuser resets the password: her sessions go on, and the old one still opens', async () => {
    const other = await byToken(root)
    expect(await reset(other, 1)).toMatchObject({ error: { code: 'LAST_WAY_IN', data: { left: [own] } } })
    expect(codeOf(await ann.client.auth.me())).toBe('ok')
    await buildSignedIn(world.server, ADMIN.username, ADMIN.password)
    dataOf(await other.client.users.editMe({ body: { password: 'tall grass at noon', current_password: PASSWORD } }))
    expect(codeOf(await reset(other, 1))).toBe('ok')
  })

  test('is named in the language of the reader, and the refusal is an entry of the audit', async () => {
    for (const [language, text] of Object.entries(errorTexts)) {
      const { data } = await ann.http.delete('/api/v2/users/1', { headers: { 'Accept-Language': language } })
      expect(data.message).toBe(text.LAST_WAY_IN_PASSWORD.replace('{names}', 'ann'))
      expect(data.message).toContain('ann')
      expect(data.message).not.toContain('{')
    }
    const { items } = dataOf(await ann.client.audit.list({ query: { event: 'access_refused' } }))
    expect(items[0]?.detail).toMatchObject({ code: 'LAST_WAY_IN' })
  })

  test('stays on the access board, with everything that was to end with it', async () => {
    dataOf(await reset(ann, root))
    const gated = await buildSignedIn(world.server, 'root', TEMPORARY)
    const second = await byToken(await createUser(ann, { username: 'second', password: PASSWORD, superuser: true }))
    dataOf(await ann.client.users.remove(idOf(1)))
    const { items } = dataOf(await second.client.access.list({ query: { user_id: String(root) } }))
    const named = items.map(({ kind, id }) => ({ kind, id }))
    expect(await second.client.access.revoke({ body: { items: named } })).toMatchObject({
      error: { code: 'LAST_WAY_IN', data: { left: [{ ...own, user_id: root, username: 'root' }] } },
    })
    // Spelled otherwise it is nobody's, and nothing ends.
    const padded = named.map(({ kind, id }) => ({ kind, id: `0${id}` }))
    expect(dataOf(await second.client.access.revoke({ body: { items: padded } })).revoked).toBe(0)
    expect(codeOf(await gated.client.users.editMe({ body: { password: 'tall grass at noon' } }))).toBe('ok')
  })

  test('stays while all that is left would end by itself: a temporary password for an hour', async () => {
    dataOf(await ann.client.users.resetPassword({ ...idOf(root), body: { password: TEMPORARY, expires_hours: 1 } }))
    const gated = await buildSignedIn(world.server, 'root', TEMPORARY)
    expect(codeOf(await edit(ann, 1, { superuser: false }))).toBe('LAST_WAY_IN')
    expect(codeOf(await ann.client.users.remove(idOf(1)))).toBe('LAST_WAY_IN')
    dataOf(await gated.client.users.editMe({ body: { password: 'tall grass at noon' } }))
    expect(codeOf(await edit(ann, 1, { superuser: false }))).toBe('ok')
  })
})

describe('where it is an ATProto account', () => {
  let bob: number
  let visitor: Visitor
  beforeEach(async () => {
    bob = (await linkedUser(world, 'bob.test', { superuser: true, password: PASSWORD })).user_id
    visitor = (await signInAs(world, 'bob.test')).visitor
    dataOf(await ann.client.users.remove(idOf(1)))
  })
  const account = () => [{ user_id: bob, username: 'bob', way: 'atproto' }]

  test('it is not switched off with all others, neither moved nor taken off', async () => {
    const other = await byToken(root, bob)
    expect(await switchOff(visitor)).toMatchObject({ error: { code: 'LAST_WAY_IN', data: { left: account() } } })
    expect(dataOf(await visitor.client.settings.read()).atproto_enabled).toBe(true)
    // Who they are concerns nobody but superusers.
    await createUser(visitor, { username: 'clerk', password: PASSWORD, permissions: ['SETTINGS'] })
    const refused = await switchOff(await buildSignedIn(world.server, 'clerk', PASSWORD))
    expect(refused).toMatchObject({ error: { code: 'LAST_WAY_IN', data: { whose: 'others', left: [] } } })
    expect(refused).toMatchObject({ error: { message: errorTexts.en.LAST_WAY_IN_OTHERS } })
    const did = world.provider.addAccount({ handle: 'another.test' }).did
    for (const body of [{ did }, { did: null }]) expect(await edit(other, bob, body)).not.toMatchObject({ ok: true })
    expect(await edit(other, bob, { did: null })).toMatchObject({
      error: { code: 'LAST_WAY_IN', data: { left: account() } },
    })
    expect(await visitor.client.auth.unlinkAccount()).toMatchObject({
      error: { code: 'LAST_WAY_IN', data: { whose: 'administrators', left: account() } },
    })
    expect(dataOf(await visitor.client.auth.me()).did).not.toBeNull()
    await buildSignedIn(world.server, 'bob', PASSWORD)
    expect(codeOf(await visitor.client.auth.unlinkAccount())).toBe('ok')
    expect(codeOf(await switchOff(other))).toBe('ok')
  })
})

test('where there is none, the refusal says what to do, and who does it may go on', async () => {
  await world.server.storage.users.setPassword(1, {
    password_hash: (await world.server.storage.users.find(root))?.password_hash ?? '',
    require_password_change: false,
    password_expires: null,
    by: 'machine',
    at: world.server.clock(),
  })
  const other = await byToken(root)
  expect(await other.client.users.remove(idOf(1))).toMatchObject({
    error: { data: { whose: 'administrators', left: [] }, message: errorTexts.en.LAST_WAY_IN_NONE },
  })
  await buildSignedIn(world.server, 'root', PASSWORD)
  expect(codeOf(await other.client.users.remove(idOf(1)))).toBe('ok')
})

test('superusers see by which ways each of them has come in', async () => {
  expect(dataOf(await ann.client.users.waysIn()).items).toEqual([
    { user_id: 1, username: 'ann', ways: ['password'] },
    { user_id: root, username: 'root', ways: [] },
  ])
})

test('the only way into an ordinary account is told as that', async () => {
  await linkedUser(world, 'bare.test')
  const { visitor, user_id } = await signInAs(world, 'bare.test')
  expect(await visitor.client.auth.unlinkAccount()).toMatchObject({
    error: {
      data: { whose: 'person', left: [{ user_id, way: 'atproto' }] },
      message: errorTexts.en.LAST_WAY_IN,
    },
  })
})
