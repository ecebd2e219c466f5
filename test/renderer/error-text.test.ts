import { expect, test } from 'vitest'
import type { Refused } from '../../api/client.ts'
import { en as errors } from '../../api/texts/en.ts'
import { errorText, fieldTexts, waitOf } from '../../renderer/error-text.ts'
import type { Translate } from '../../renderer/composables/use-text.ts'

/** Says which text was asked for, and with what. */
const t: Translate = (key, named = {}) => [key, ...Object.entries(named).map((pair) => pair.join('='))].join(' ')
const bare = { message: 'from the server', status: 400, requestId: undefined }

test('every code of the interface has a text of its own', () => {
  const asked = new Set<string>()
  const spy: Translate = (key) => {
    asked.add(key)
    return key
  }
  for (const code of codes()) errorText({ ...bare, code, data: undefined }, spy, 0, 8)
  expect(asked.size).toBe(Object.keys(errors).length)
})

test('the reason of an unacceptable password is told, with the length asked for', () => {
  const error: Refused = { ...bare, code: 'PASSWORD_UNACCEPTABLE', data: { reason: 'too_short' } }
  expect(errorText(error, t, 0, 12)).toBe('checks.tooShort min=12')
})

test('a place may have a better text for a code', () => {
  const error: Refused = { ...bare, code: 'INCORRECT_CREDENTIALS', data: undefined }
  expect(errorText(error, t, 0, 8, { INCORRECT_CREDENTIALS: 'error.TOTP_CODE_WRONG' })).toBe('error.TOTP_CODE_WRONG')
})

test('whose way in would be gone is told by name', () => {
  const left = [{ user_id: 1, username: 'ann', way: 'password' as const }]
  const error: Refused = { ...bare, code: 'LAST_WAY_IN', data: { whose: 'administrators', left } }
  expect(errorText(error, t, 0, 8)).toBe('error.LAST_WAY_IN_PASSWORD seconds=0 names=ann')
  const own: Refused = { ...bare, code: 'LAST_WAY_IN', data: { whose: 'person', left } }
  expect(errorText(own, t, 0, 8)).toBe('error.LAST_WAY_IN seconds=0')
})

test('a wait is filled in and known', () => {
  const error: Refused = { ...bare, code: 'TOO_MANY_ATTEMPTS', data: { retry_after: 11.2 } }
  expect(waitOf(error)).toBe(12)
  expect(errorText(error, t, 12, 8)).toBe('error.TOO_MANY_ATTEMPTS seconds=12')
  expect(waitOf(undefined)).toBe(0)
})

test('faults of a body go to their fields, and so do codes that are about one', () => {
  const faults: Refused = {
    ...bare,
    code: 'INVALID_JSON_SCHEMA',
    data: [
      { path: 'email', message: 'Invalid' },
      { path: 'permissions.0', message: 'Invalid' },
    ],
  }
  expect(fieldTexts(faults, t, {}, 8)).toEqual({ email: 'checks.email', permissions: 'checks.invalid' })
  const taken: Refused = { ...bare, code: 'USERNAME_TAKEN', data: undefined }
  expect(fieldTexts(taken, t, { USERNAME_TAKEN: 'username' }, 8)).toEqual({
    username: 'error.USERNAME_TAKEN seconds=0',
  })
  expect(fieldTexts(taken, t, {}, 8)).toEqual({})
})

function codes(): ('NOT_FOUND' | 'INTERNAL')[] {
  const isCode = (name: string): name is 'NOT_FOUND' | 'INTERNAL' => name in errors
  return Object.keys(errors).filter(isCode)
}
