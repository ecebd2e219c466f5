import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf, dataOf, type Visitor } from '../helpers/visitor.ts'
import { type AtprotoWorld, linkedUser, signInAs, startWorld } from './atproto.ts'

const DAY = 86_400_000

let world: AtprotoWorld
let names = 0
beforeAll(async () => {
  world = await startWorld()
})
beforeEach(() => {
  world.provider.behave({})
  world.server.clock.advance(61_000)
})
afterAll(() => world.end())

/** Somebody new, signed in. */
async function somebody(): Promise<{ visitor: Visitor; did: string; handle: string; session_id: string }> {
  const handle = `person${(names += 1)}.test`
  const { did } = await linkedUser(world, handle)
  const signedIn = await signInAs(world, handle)
  // What the provider said a moment ago is not asked again.
  world.server.clock.advance(11_000)
  return { did, handle, ...signedIn }
}

/** The server ends and starts again, on another port; these visitors follow it. */
async function restart(...visitors: Visitor[]): Promise<void> {
  world.server = await world.server.restart()
  for (const { http } of [world.admin, ...visitors]) {
    http.defaults.baseURL = world.server.url
    http.defaults.headers['Origin'] = world.server.url
  }
}

const refreshesOf = (did: string) =>
  world.provider.grants.filter((grant) => grant.did === did).map((grant) => grant.refreshes)

describe('a refresh', () => {
  test('is one call to the provider, however many ask at once', async () => {
    const { visitor, did } = await somebody()
    world.provider.requests.length = 0
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => visitor.client.auth.refreshGrant()))
    expect(outcomes.map(codeOf)).toEqual(Array(50).fill('ok'))
    expect(world.provider.count('token')).toBe(1)
    expect(refreshesOf(did)).toEqual([1])
  })

  test('shows a grant that the provider ended as in need of a sign-in, asks no second time, and closes the session', async () => {
    const { visitor } = await somebody()
    world.provider.behave({ refreshInvalid: true })
    expect(dataOf(await visitor.client.auth.refreshGrant())).toMatchObject({ state: 'needs_sign_in', scopes: [] })
    world.provider.behave({})
    world.provider.requests.length = 0
    expect(dataOf(await visitor.client.auth.refreshGrant()).state).toBe('needs_sign_in')
    expect(world.provider.requests).toEqual([])
    expect(codeOf(await visitor.client.auth.sessions())).toBe('SCOPE_UPGRADE_REQUIRED')
    expect(dataOf(await visitor.client.auth.me())).toMatchObject({ scope_upgrade_required: true, scopes: [] })
  })

  test('whose answer is lost leaves the grant in need of a sign-in: its token may be used up', async () => {
    const { visitor } = await somebody()
    world.provider.behave({ token: 'lose' })
    expect(dataOf(await visitor.client.auth.refreshGrant()).state).toBe('needs_sign_in')
    world.provider.behave({})
    world.provider.requests.length = 0
    await visitor.client.auth.refreshGrant()
    expect(world.provider.count('token')).toBe(0)
  })

  test.each([
    ['the metadata cannot be read', { metadata: 'reset' } as const],
    ['the directory is down', { did: 'reset' } as const],
    ['the token endpoint has an error of its own', { token: { status: 503 } } as const],
  ])('changes nothing when %s, and works later', async (_what, behaviour) => {
    const { visitor } = await somebody()
    world.provider.behave(behaviour)
    expect(codeOf(await visitor.client.auth.refreshGrant())).toBe('PROVIDER_UNREACHABLE')
    world.provider.behave({})
    expect(dataOf(await visitor.client.auth.refreshGrant()).state).toBe('live')
  })

  test('copes with a nonce that is demanded', async () => {
    const { visitor } = await somebody()
    world.provider.behave({ demandNonce: true })
    expect(dataOf(await visitor.client.auth.refreshGrant()).state).toBe('live')
  })
})

describe('grants', () => {
  test('are given back at the provider when their session ends', async () => {
    const { visitor, did } = await somebody()
    dataOf(await visitor.client.auth.logout())
    await expect
      .poll(() => world.provider.grants.filter((grant) => grant.did === did).every((grant) => grant.revoked))
      .toBe(true)
  })

  test('tell when they must be refreshed and when they stop', async () => {
    const { visitor } = await somebody()
    world.server.clock.advance(DAY / 2)
    const grant = dataOf(await visitor.client.auth.refreshGrant())
    expect(Date.parse(grant.stops_working_on ?? '') - Date.parse(grant.granted_at)).toBe(14 * DAY)
    expect(grant.refresh_deadline).toBe(grant.stops_working_on)
  })

  test('that were being refreshed when the server died are in need of a sign-in after the start, and nothing else is', async () => {
    const [one, two] = [await somebody(), await somebody()]
    const found = await world.server.storage.atproto.grantOfSession(one.session_id)
    expect(await world.server.storage.atproto.beginRefresh(found?.grant_id ?? '', world.server.clock())).toBe(true)
    await restart(one.visitor, two.visitor)
    expect(dataOf(await one.visitor.client.auth.grant()).state).toBe('needs_sign_in')
    expect(dataOf(await two.visitor.client.auth.grant()).state).toBe('live')
    const { items } = dataOf(await world.admin.client.audit.list({ query: { event: 'atproto_grant_ended' } }))
    expect(items[0]).toMatchObject({ target: one.handle.replace('.test', ''), detail: { reason: 'lost' } })
  })

  test('work on after a restart on another port: the client is the one that asked', async () => {
    const { visitor } = await somebody()
    await restart(visitor)
    expect(dataOf(await visitor.client.auth.refreshGrant()).state).toBe('live')
  })

  test('and what they are made of are nowhere in the files of the database, in no log and in no answer', async () => {
    const { visitor } = await somebody()
    const heard: string[] = []
    visitor.http.interceptors.response.use((answer) => {
      heard.push(JSON.stringify([answer.data, answer.headers]))
      return answer
    })
    await visitor.client.auth.me()
    await visitor.client.auth.grant()
    await visitor.client.auth.refreshGrant()
    const entries = await readdir(world.server.directory, { withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile() && entry.name !== 'lock')
    const stored = await Promise.all(files.map(({ name }) => readFile(join(world.server.directory, name), 'latin1')))
    // The double's secrets begin with these words; a private key would bring its "d".
    for (const text of [...stored, ...heard]) expect(text).not.toMatch(/(access|refresh|code)-[\w-]{20}|"d"\s*:/)
  })
})
