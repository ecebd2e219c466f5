import type { TextKey } from './i18n/keys.ts'

/** What a scope of ATProto's OAuth means, as people say it. Undefined: only its own name can be shown. */
export interface ScopeText {
  key: TextKey
  named: Record<string, string>
}

const WHOLE: Readonly<Record<string, TextKey>> = {
  atproto: 'atprotoAccount.scopes.identity',
  'transition:generic': 'atprotoAccount.scopes.generic',
  'transition:email': 'atprotoAccount.scopes.mail',
  'transition:chat.bsky': 'atprotoAccount.scopes.chat',
}

/** By what stands before the colon. */
const KINDS: Readonly<Record<string, (subject: string) => TextKey>> = {
  repo: (kinds) => (isEvery(kinds) ? 'atprotoAccount.scopes.everyRecord' : 'atprotoAccount.scopes.records'),
  blob: () => 'atprotoAccount.scopes.uploads',
  rpc: () => 'atprotoAccount.scopes.calls',
  identity: () => 'atprotoAccount.scopes.handle',
  account: (subject) => (subject === 'email' ? 'atprotoAccount.scopes.mail' : 'atprotoAccount.scopes.account'),
}

export function scopeText(scope: string): ScopeText | undefined {
  const whole = own(WHOLE, scope)
  if (whole) return { key: whole, named: {} }
  const [, kind = '', subject = '', query = ''] = /^([a-z]+)(?::([^?]*))?(?:\?(.*))?$/.exec(scope) ?? []
  const about = subject || new URLSearchParams(query).getAll('collection').join(', ')
  const key = own(KINDS, kind)?.(about)
  return key && { key, named: { kind: about } }
}

/** What is required, and was not granted under the same name. */
export function missingScopes(required: readonly string[], granted: readonly string[]): string[] {
  return required.filter((scope) => !granted.includes(scope))
}

function isEvery(kinds: string): boolean {
  return kinds === '' || kinds.split(', ').includes('*')
}

function own<T>(texts: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(texts, name) ? texts[name] : undefined
}
