import { expect, test } from 'vitest'
import { isOwnPath, ownPath } from '../../renderer/return-url.ts'

test.each(['/', '/account', '/users?q=ann', '/account#sessions', '/a/b/../c', '/users?next=//evil.example', '/ünï'])(
  'own path %s is taken',
  (path) => expect(ownPath(path)).toBe(path),
)

test.each([
  '',
  'account',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n//evil.example',
  ' /account',
  '/acc ount',
  '/.//evil.example',
  '/x/..//evil.example',
  'https://evil.example/',
  'javascript:alert(1)',
  '/api/auth/logout',
  '/login',
  '/login?returnUrl=/login',
  '/setup',
  '/\u0000',
  '/\u2028',
  `/${'x'.repeat(2001)}`,
])('%j is refused', (path) => expect(isOwnPath(path)).toBe(false))

test.each([undefined, null, 5, ['/account'], { toString: () => '/account' }])('%o is no path at all', (value) =>
  expect(ownPath(value)).toBeUndefined(),
)
