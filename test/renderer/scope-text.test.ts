import { expect, test } from 'vitest'
import { missingScopes, scopeText } from '../../renderer/scope-text.ts'

test.each([
  ['atproto', 'identity'],
  ['transition:generic', 'generic'],
  ['transition:email', 'mail'],
  ['account:email?action=read', 'mail'],
  ['account:repo', 'account'],
  ['repo:app.bsky.feed.post?action=create', 'records'],
  ['repo:*', 'everyRecord'],
  ['repo?collection=a.b.c&collection=d.e.f', 'records'],
  ['repo?collection=a.b.c&collection=*', 'everyRecord'],
  ['blob:*/*', 'uploads'],
  ['rpc:app.bsky.feed.getFeed?aud=*', 'calls'],
  ['identity:handle', 'handle'],
])('%s is told in plain words', (scope, text) => {
  expect(scopeText(scope)?.key).toBe(`atprotoAccount.scopes.${text}`)
})

test.each(['foo:bar', 'transition:other', 'constructor', 'toString:x', ''])('%j has only its own name', (scope) => {
  expect(scopeText(scope)).toBeUndefined()
})

test('the kinds of records are named without their parameters', () => {
  expect(scopeText('repo:app.bsky.feed.post?action=create')?.named).toEqual({ kind: 'app.bsky.feed.post' })
  expect(scopeText('repo?collection=a.b.c&collection=d.e.f&action=create')?.named).toEqual({ kind: 'a.b.c, d.e.f' })
})

test('missing is what is required and was not granted', () => {
  expect(missingScopes(['atproto', 'account:email'], ['atproto', 'repo:*'])).toEqual(['account:email'])
})
