import { expect, test } from 'vitest'
import { did } from '../../api/schemas.ts'
import { ATPROTO_SCOPE, settingCalls } from '../../api/settings.ts'
import {
  BASE_SCOPE,
  faultsOfOptions,
  isFaulty,
  isScope,
  MOST_PDS_OPTIONS,
  MOST_SCOPES,
  moved,
  type PdsOption,
  SIGN_UPS,
  tidied,
} from '../../renderer/atproto-rules.ts'
import { isDid } from '../../renderer/field-rules.ts'

const takes = (body: unknown) => settingCalls.change.body.safeParse(body).success
const option = (part: Partial<PdsOption> = {}): PdsOption => ({
  name: 'Own',
  url: 'https://pds.example.org',
  recommended: false,
  description: '',
  info_url: null,
  ...part,
})

test('what the page knows of the ATProto settings is what the interface says', () => {
  for (const atproto_sign_up of SIGN_UPS) expect(takes({ atproto_sign_up })).toBe(true)
  const scopes = (length: number) => [BASE_SCOPE, ...Array.from({ length: length - 1 }, (_, n) => `repo:a.b.c${n}`)]
  expect([MOST_SCOPES, MOST_SCOPES + 1].map((n) => takes({ atproto_scopes: scopes(n) }))).toEqual([true, false])
  expect(takes({ atproto_scopes: ['account:email'] }), 'without the first of all').toBe(false)
  const options = (length: number) => Array.from({ length }, (_, n) => option({ url: `https://pds${n}.example.org` }))
  expect([MOST_PDS_OPTIONS, MOST_PDS_OPTIONS + 1].map((n) => takes({ atproto_pds_options: options(n) }))).toEqual([
    true,
    false,
  ])
})

test.each([
  'atproto',
  'transition:generic',
  'repo:app.bsky.feed.post?action=create',
  'rpc:*?aud=did:web:api.example.org%23svc',
  'x'.repeat(200),
  'x'.repeat(201),
  'two words',
  ' padded',
  'quoted"',
  'back\\slash',
  'umläut',
  '',
])('the scope %j is one for the page as it is for the interface', (scope) => {
  expect(isScope(scope)).toBe(ATPROTO_SCOPE.safeParse(scope).success)
})

test.each([
  'did:plc:abcdefghijklmnopqrstuvwx',
  'did:web:example.org',
  'did:web:localhost%3A2583',
  'did:plc:short',
  'did:plc:ABCDEFGHIJKLMNOPQRSTUVWX',
  'did:key:z6Mk',
  'ann.bsky.social',
])('%s is a DID for the page as it is for the interface', (text) => {
  expect(isDid(text)).toBe(did.safeParse(text).success)
})

test.each([
  [option(), {}],
  [option({ name: ' ' }), { name: 'length' }],
  [option({ name: 'x'.repeat(61) }), { name: 'length' }],
  [option({ url: 'pds.example.org' }), { url: 'origin' }],
  [option({ url: 'https://pds.example.org/path' }), { url: 'origin' }],
  [option({ info_url: 'http://pds.example.org/about' }), { info_url: 'https' }],
  [option({ info_url: 'about' }), { info_url: 'https' }],
  [option({ info_url: 'https://pds.example.org/about' }), {}],
])('the faults of %j are told at their fields, and the interface agrees', (given, faults) => {
  expect(faultsOfOptions([given])).toEqual([faults])
  expect(takes({ atproto_pds_options: [given] })).toBe(!isFaulty(faultsOfOptions([given])[0] ?? {}))
})

test('an address that two have is a fault of the second, however it is written', () => {
  const twice = [option(), option({ url: 'https://PDS.example.org/' })]
  expect(faultsOfOptions(twice)).toEqual([{}, { url: 'twice' }])
  expect(takes({ atproto_pds_options: twice.map(tidied) })).toBe(false)
})

test('addresses are made tidy, and what is none stays as it was typed', () => {
  expect(tidied(option({ url: ' https://PDS.example.org/ ' })).url).toBe('https://pds.example.org')
  expect(tidied(option({ url: 'pds' })).url).toBe('pds')
})

test('one of a list moves, and the others keep their order', () => {
  expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b'])
  expect(moved(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c'])
})
