import { expect, test } from 'vitest'
import { redirectTarget } from '../../renderer/redirect-target.ts'

test.each([
  ['/account?tab=1#top', { own: '/account?tab=1#top' }],
  ['https://wiki.example.org/start', { elsewhere: 'https://wiki.example.org/start' }],
  ['http://10.0.0.7:8080', { elsewhere: 'http://10.0.0.7:8080/' }],
])('a link may lead to %s', (address, target) => {
  expect(redirectTarget(address)).toEqual(target)
})

test.each([
  undefined,
  '',
  'javascript:alert(1)',
  'data:text/html,x',
  '//evil.example',
  '/\\evil.example',
  '/login',
  '/api/health',
])('but not to %s', (address) => {
  expect(redirectTarget(address)).toBeUndefined()
})
