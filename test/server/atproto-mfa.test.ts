import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeOf, dataOf } from '../helpers/visitor.ts'
import { type AtprotoWorld, goOn, linkedUser, signInAs, startWorld } from './atproto.ts'
import { enrol } from './totp-codes.ts'

let world: AtprotoWorld
beforeAll(async () => {
  world = await startWorld()
  await linkedUser(world, 'olaf.test', { superuser: true })
  await enrol(world.server, world.admin)
  dataOf(await world.admin.client.settings.change({ body: { mfa_demand: 'everybody' } }))
})
afterAll(() => world.end())

test('a demanded second factor holds people without a password, too, who come by an ATProto account and can prove themselves there', async () => {
  await signInAs(world, 'olaf.test')
  const { visitor } = await signInAs(world, 'olaf.test')
  expect(codeOf(await visitor.client.users.list())).toBe('MFA_ENROLMENT_REQUIRED')
  expect(codeOf(await visitor.client.auth.createDeveloperToken())).toBe('MFA_ENROLMENT_REQUIRED')
  expect(codeOf(await visitor.client.auth.totpSetup())).toBe('REAUTH_REQUIRED')
  const { auth_url } = dataOf(await visitor.client.auth.startScopeUpgrade({ body: { scopes: [] } }))
  const exchange_token = await goOn(world, visitor, auth_url)
  dataOf(await visitor.client.auth.exchange({ body: { exchange_token } }))
  await enrol(world.server, visitor)
  expect(codeOf(await visitor.client.users.list())).toBe('ok')
})
