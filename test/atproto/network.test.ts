import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Network, startNetwork } from './network.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork()
})
afterAll(() => network?.stop())

test('the PDS makes an account, and its handle and DID name each other', async () => {
  const { did } = await network.createAccount('ann.test', 'correct horse staple')
  expect(did).toMatch(/^did:plc:[a-z2-7]{24}$/)
  expect(await network.resolve('ann.test')).toBe(did)
  const document: unknown = await (await fetch(`${network.plcUrl}/${did}`)).json()
  expect(document).toMatchObject({
    id: did,
    alsoKnownAs: ['at://ann.test'],
    service: [{ id: '#atproto_pds', serviceEndpoint: network.pdsUrl }],
  })
})

test('nobody has a handle that was never made', async () => {
  expect(await network.resolve('nobody.test')).toBeUndefined()
})

test('the PDS is an issuer that Latchkey can use: PAR, S256, DPoP by ES256, and `iss` in its answers', async () => {
  const answer = await fetch(`${network.pdsUrl}/.well-known/oauth-authorization-server`)
  expect(await answer.json()).toMatchObject({
    issuer: network.pdsUrl,
    require_pushed_authorization_requests: true,
    code_challenge_methods_supported: ['S256'],
    dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  })
})
