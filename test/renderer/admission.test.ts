import { expect, test } from 'vitest'
import { admit, type Caller, type SessionState } from '../../renderer/admission.ts'

function caller(state: SessionState, setupRequired = false, may = false): Caller {
  return { state, setupRequired, holds: () => may }
}

function target(path: string, name: string, query: Record<string, string> = {}, meta = {}) {
  const tail = new URLSearchParams(query).toString()
  return { name, path, fullPath: tail ? `${path}?${tail}` : path, query, meta }
}

const overview = target('/', 'overview')
const account = target('/account', 'account')
const login = target('/login', 'login')
const setup = target('/setup', 'setup')
const users = target('/users', 'users', {}, { permission: 'USER_CONFIG' as const })

test('before set-up there is only the set-up page', () => {
  for (const to of [overview, login, account])
    expect(admit(to, caller('signed-out', true))).toMatchObject({ name: 'setup' })
  expect(admit(setup, caller('signed-out', true))).toBe(true)
})

test('signed-out people get the sign-in page and are brought back afterwards', () => {
  expect(admit(login, caller('signed-out'))).toBe(true)
  expect(admit(overview, caller('signed-out'))).toEqual({ name: 'login', replace: true })
  expect(admit(account, caller('signed-out'))).toEqual({
    name: 'login',
    replace: true,
    query: { returnUrl: '/account' },
  })
})

test('whoever must change the password is held at the sign-in page, whatever was typed', () => {
  for (const to of [overview, account, users, setup])
    expect(admit(to, caller('gated'))).toMatchObject({ name: 'login' })
})

test('signed-in people do not see the sign-in page, unless they add an account', () => {
  expect(admit(login, caller('signed-in'))).toEqual({ name: 'overview' })
  expect(admit(target('/login', 'login', { returnUrl: '/account' }), caller('signed-in'))).toBe('/account')
  expect(admit(target('/login', 'login', { returnUrl: '//evil.example' }), caller('signed-in'))).toEqual({
    name: 'overview',
  })
  expect(admit(target('/login', 'login', { add: '1' }), caller('signed-in'))).toBe(true)
})

test('a page that needs a right is not there for those without it', () => {
  expect(admit(users, caller('signed-in'))).toMatchObject({ name: 'not-found' })
  expect(admit(users, caller('signed-in', false, true))).toBe(true)
})

test('a link that signs in is shown to everybody, except before set-up', () => {
  const link = target('/login/token', 'login-token', {}, { public: true as const, anyone: true as const })
  for (const state of ['signed-out', 'gated', 'signed-in'] as const) expect(admit(link, caller(state))).toBe(true)
  expect(admit(link, caller('signed-out', true))).toMatchObject({ name: 'setup' })
})

test('where a flow lands is open to everybody, so that it can be finished', () => {
  const landing = target('/portal', 'arrival-portal', {}, { public: true as const, anyone: true as const })
  for (const state of ['signed-out', 'gated', 'signed-in'] as const) expect(admit(landing, caller(state))).toBe(true)
})
