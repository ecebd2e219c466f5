import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { authOf, codesOf, type Endpoint, limitOf } from '../../api/endpoint.ts'
import { ERROR_STATUS, type ErrorCode } from '../../api/errors.ts'
import { LANGUAGES } from '../../api/schemas.ts'
import { errorTexts } from '../../api/texts/index.ts'
import { wordingOf } from '../../api/texts/wording.ts'
import { entries } from '../server/entries.ts'

const bare: Endpoint = { method: 'POST', path: '/api/x', summary: 'x', output: z.object({}), errors: [] }

describe('the table', () => {
  test('has each method and path once, so that no entry hides another', () => {
    const calls = entries.map(([, entry]) => `${entry.method} ${entry.path}`)
    expect(new Set(calls).size).toBe(calls.length)
  })

  test.each(entries)('%s is under /api, says what it does and names its parameters', (_name, entry) => {
    // What others read about us stands where they look for it.
    expect(entry.path).toMatch(entry.answers === 'document' ? /^\/oauth[\w./-]+\.json$/ : /^\/api\/[\w./:@-]+$/)
    expect(entry.summary.length).toBeGreaterThan(5)
    const named = [...entry.path.matchAll(/:(\w+)/g)].map((match) => match[1])
    const known = entry.params instanceof z.ZodObject ? Object.keys(entry.params.shape) : []
    expect(known).toEqual(named)
  })

  test.each(entries)('%s lists only known codes, each once', (_name, entry) => {
    expect(new Set(entry.errors).size).toBe(entry.errors.length)
    for (const code of entry.errors) expect(ERROR_STATUS).toHaveProperty(code)
  })

  test('fixed paths come before the patterns that would swallow them', () => {
    entries.forEach(([, entry], at) => {
      const pattern = new RegExp(`^${entry.path.replace(/:\w+/g, '[^/]+')}$`)
      const swallowed = entries
        .slice(at + 1)
        .filter(([, later]) => later.method === entry.method && pattern.test(later.path))
      expect(swallowed).toEqual([])
    })
  })

  test('a GET takes no body and changes nothing that its name admits', () => {
    for (const [, entry] of entries) if (entry.method === 'GET') expect(entry.body).toBeUndefined()
  })

  test('the password gate is open for exactly the calls that the contract names', () => {
    const usable = entries.filter(([, entry]) => entry.gate !== undefined && authOf(entry) !== 'public')
    const names = (gate: Endpoint['gate']) => usable.filter(([, entry]) => entry.gate === gate).map(([name]) => name)
    expect(names('open')).toEqual(['auth.logoutAll', 'users.invalidateTokens'])
    expect(names('password')).toEqual(['users.editMe'])
    expect(names('second_factor')).toEqual(['auth.totpSetup', 'auth.totpConfirm', 'auth.startScopeUpgrade'])
    expect(names('proof')).toEqual(['auth.reauth'])
  })

  test('the scope gate is open for exactly the calls that the contract names, and to see why it is closed', () => {
    const usable = entries.filter(([, entry]) => entry.scope !== undefined && authOf(entry) !== 'public')
    expect(usable.map(([name]) => name)).toEqual([
      'auth.me',
      'auth.switchAccount',
      'auth.logoutAll',
      'auth.startScopeUpgrade',
      'auth.grant',
      'auth.refreshGrant',
      'users.invalidateTokens',
    ])
  })

  test('every call that names a user in its path is judged by the guards', () => {
    for (const [name, entry] of entries)
      expect([name, entry.target !== undefined]).toEqual([name, entry.path.startsWith('/api/v2/users/:id')])
  })

  test('nobody does to himself what would go round the proof of his own password or code', () => {
    const others = entries.filter(([, entry]) => entry.target && entry.target.self !== 'allowed')
    expect(others.map(([name]) => name)).toEqual(['users.resetPassword', 'users.resetSecondFactor'])
  })

  test('nobody is let in unasked but to these', () => {
    const open = entries.filter(([, entry]) => authOf(entry) === 'public').map(([name]) => name)
    expect(open).toEqual([
      'auth.setupStatus',
      'auth.setup',
      'auth.login',
      'auth.showLoginToken',
      'auth.logout',
      'auth.pdsOptions',
      'auth.start',
      'auth.callback',
      'auth.exchange',
      'auth.clientMetadata',
      'auth.clientKeys',
      'auth.startPairing',
      'auth.showPairing',
      'auth.approvePairing',
      'auth.claimPairing',
      'auth.cancelPairing',
      'system.health',
      'system.openapi',
    ])
  })
})

describe('an entry that says nothing', () => {
  test('is at its strictest: superuser, gate and scope closed, credential limit', () => {
    expect([authOf(bare), bare.gate, bare.scope, limitOf(bare)]).toEqual([
      'superuser',
      undefined,
      undefined,
      'credential',
    ])
  })

  test('carries the codes of the layers around it', () => {
    expect(codesOf(bare)).toEqual(
      expect.arrayContaining([
        'BAD_ORIGIN',
        'INSECURE_TRANSPORT',
        'INTERNAL',
        'STORAGE_UNAVAILABLE',
        'UNAUTHENTICATED',
        'SESSION_EXPIRED',
        'ACCOUNT_DISABLED',
        'PASSWORD_CHANGE_REQUIRED',
        'SCOPE_UPGRADE_REQUIRED',
        'ACCESS_DENIED',
        'REAUTH_REQUIRED',
        'TOO_MANY_ATTEMPTS',
      ]),
    )
    expect(codesOf(bare)).not.toContain('INVALID_JSON')
  })

  test('carries the codes of what it takes once it takes something', () => {
    const taking = { ...bare, body: z.object({}), query: z.object({}), params: z.object({}) }
    expect(codesOf(taking)).toEqual(
      expect.arrayContaining([
        'INVALID_JSON',
        'INVALID_JSON_SCHEMA',
        'UNSUPPORTED_MEDIA_TYPE',
        'PAYLOAD_TOO_LARGE',
        'INVALID_QUERY',
        'NOT_FOUND',
      ]),
    )
    expect(codesOf({ ...bare, auth: 'public', limit: 'none' })).not.toContain('UNAUTHENTICATED')
  })
})

describe('the texts', () => {
  const codes = Object.keys(ERROR_STATUS) as ErrorCode[]
  const way = (name: 'password' | 'atproto', username = 'ann') => ({ user_id: 1, username, way: name })
  const losses = [[], [way('password')], [way('atproto'), way('atproto', 'bob')], [way('password'), way('atproto')]]
  const wordings = [
    ...losses.map((left) => wordingOf('LAST_WAY_IN', { whose: 'administrators', left })),
    wordingOf('LAST_WAY_IN', { whose: 'others', left: [] }),
  ]

  test.each(LANGUAGES)('in %s say something for every code and wording, and nothing else', (language) => {
    const named = [...codes, ...wordings.map(({ name }) => name)]
    expect(new Set(named).size).toBe(codes.length + wordings.length)
    expect(Object.keys(errorTexts[language]).sort()).toEqual([...named].sort())
    for (const { name, named } of wordings)
      expect(errorTexts[language][name].includes('{names}')).toBe(named.names !== '')
    for (const code of codes) expect(errorTexts[language][code].length).toBeGreaterThan(3)
  })

  test.each(LANGUAGES)('in %s tell the wait where one is known, and only there', (language) => {
    const waiting = codes.filter((code) => errorTexts[language][code].includes('{seconds}'))
    expect(waiting).toEqual(['TOO_MANY_ATTEMPTS', 'OVERLOADED'])
    for (const code of codes) expect(errorTexts[language][code].replace('{seconds}', '')).not.toMatch(/[{}]/)
  })

  test('name whose ways the last ones are, and fall back to that of the code', () => {
    expect(wordings.map(({ named }) => named.names)).toEqual(['', 'ann', 'ann, bob', 'ann', ''])
    const own = { whose: 'person', left: [way('atproto')] }
    for (const data of [own, undefined, null, 'text', { left: [] }])
      expect(wordingOf('LAST_WAY_IN', data)).toEqual({ name: 'LAST_WAY_IN', named: {} })
    expect(wordingOf('NOT_FOUND', { whose: 'administrators', left: [] }).name).toBe('NOT_FOUND')
  })

  test('are translations: none but English repeats the English one', () => {
    for (const language of LANGUAGES.filter((each) => each !== 'en'))
      for (const code of codes) expect(errorTexts[language][code]).not.toBe(errorTexts.en[code])
  })

  test('of statuses are what HTTP means by them', () => {
    for (const [code, status] of Object.entries(ERROR_STATUS))
      if (code !== 'UNREACHABLE') expect(status).toBeGreaterThanOrEqual(400)
  })
})

test('api/ knows nothing of Node, Koa, the page or the server', () => {
  const root = join(import.meta.dirname, '../../api')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const imports = files.flatMap((name) =>
    [...readFileSync(join(root, name), 'utf8').matchAll(/from '([^']+)'/g)].map(([, from = '']) => `${name}: ${from}`),
  )
  expect(imports.filter((line) => !/: (zod|axios|\.\.?\/(?!.*(server|renderer|electron)).*\.ts)$/.test(line))).toEqual(
    [],
  )
})
