import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AuditEntry, AuditEvent } from '../../api/audit.ts'
import { ADMIN, buildVisitor, createUser, dataOf, buildSignedIn, viaProxy } from '../helpers/visitor.ts'
import { exportLines } from './audit-exports.ts'
import { type AtprotoWorld, comeBack, goOn, linkedUser, signInAs, startAt, startWorld } from './atproto.ts'

/** What ATProto sign-in leaves in the audit: who, whom, how, and no secret. */

const PASSWORD = 'wooden quiet lamp'
let world: AtprotoWorld
beforeAll(async () => {
  world = await startWorld({ config: { trustedProxies: ['127.0.0.1'] } })
})
beforeEach(() => {
  world.provider.behave({})
  world.server.clock.advance(61_000)
})
afterAll(() => world.end())

const visit = () => buildVisitor(world.server.url)

/** The newest entry of this kind. */
async function newest(event: AuditEvent): Promise<AuditEntry | undefined> {
  return dataOf(await world.admin.client.audit.list({ query: { event, limit: '1' } })).items[0]
}

describe('the audit says', () => {
  test('who signed in by ATProto, and for what reason somebody was refused', async () => {
    await linkedUser(world, 'ada.test')
    await signInAs(world, 'ada.test')
    expect(await newest('sign_in')).toMatchObject({ actor: 'ada', method: 'atproto', detail: { amr: ['atproto'] } })
    const visitor = visit()
    const location = await startAt(world, visitor, { handle: 'ada.test' })
    await comeBack(visit(), location)
    expect(await newest('sign_in_refused')).toMatchObject({
      actor: null,
      method: 'atproto',
      outcome: 'refused',
      detail: { reason: 'FLOW_FOREIGN_BROWSER' },
    })
  })

  test('who linked which account to whom, and who took it off', async () => {
    const { user_id, did } = await linkedUser(world, 'bea.test')
    expect(await newest('atproto_linked')).toMatchObject({ actor: 'ann', target: 'bea', detail: { did } })
    const params = { id: String(user_id) }
    dataOf(await world.admin.client.users.edit({ params, body: { did: null } }))
    expect(await newest('atproto_unlinked')).toMatchObject({ actor: 'ann', target: 'bea', detail: { did } })
    dataOf(await world.admin.client.users.edit({ params, body: { did } }))
    expect(await newest('atproto_linked')).toMatchObject({ actor: 'ann', target: 'bea', detail: { did } })
  })

  test('which scopes were added, and which grant ended why', async () => {
    await linkedUser(world, 'cleo.test')
    const { visitor } = await signInAs(world, 'cleo.test')
    const body = { scopes: ['transition:generic'] }
    const { auth_url } = dataOf(await visitor.client.auth.startScopeUpgrade({ body }))
    const exchange_token = await goOn(world, visitor, auth_url)
    dataOf(await visitor.client.auth.exchange({ body: { exchange_token } }))
    expect(await newest('atproto_grant_upgraded')).toMatchObject({
      actor: 'cleo',
      detail: { scope: 'atproto transition:generic' },
    })
    world.provider.behave({ refreshInvalid: true })
    dataOf(await visitor.client.auth.refreshGrant())
    expect(await newest('atproto_grant_ended')).toMatchObject({ target: 'cleo', detail: { reason: 'dead' } })
  })

  test('whose developer token was made, by which way, and that it was revoked', async () => {
    await createUser(world.admin, { username: 'dan', password: PASSWORD })
    const dan = await buildSignedIn(world.server, 'dan', PASSWORD)
    const { prefix } = dataOf(await dan.client.auth.createDeveloperToken({ body: { name: 'nightly' } }))
    expect(await newest('developer_token_created')).toMatchObject({
      actor: 'dan',
      method: 'password',
      detail: { prefix },
    })
    dataOf(await dan.client.auth.revokeDeveloperToken({ params: { token_prefix: prefix } }))
    expect(await newest('developer_token_revoked')).toMatchObject({ actor: 'dan', target: 'dan' })
  })

  test('that all accounts of a browser were signed out, and how many', async () => {
    await createUser(world.admin, { username: 'eli', password: PASSWORD })
    const eli = await buildSignedIn(world.server, 'eli', PASSWORD)
    dataOf(await eli.client.auth.login({ body: { ...ADMIN, add_account: true } }))
    dataOf(await eli.client.auth.logoutAll())
    expect(await newest('accounts_signed_out')).toMatchObject({ actor: 'ann', detail: { count: 2 } })
  })

  test('for whose browser somebody at this machine signed in', async () => {
    await linkedUser(world, 'finn.test')
    const waiting = buildVisitor(world.server.url, viaProxy(world.server.url, '192.168.1.30'))
    const { code } = dataOf(await waiting.client.auth.startPairing({ body: { handle: 'finn.test' } }))
    dataOf(await visit().client.auth.approvePairing({ body: { code } }))
    expect(await newest('pairing_approved')).toMatchObject({ detail: { waiting_ip: '192.168.1.30' } })
  })

  test('no token, code, state or key', async () => {
    const text = (await exportLines(world.admin, 'jsonl')).join('')
    expect(text).not.toMatch(/(access|refresh|code)-[\w-]{20}|eyJ[\w-]+\.eyJ|[\w-]{8}\.[\w-]{43}/)
  })
})
