import { expect, test } from 'vitest'
import { authErrorIn, exchangeTokenIn } from '../../renderer/fragment.ts'

test('the exchange token is read from the fragment, and nothing else is', () => {
  expect(exchangeTokenIn('exchange_token=abc-DEF_9')).toBe('abc-DEF_9')
  expect(exchangeTokenIn('a=b&exchange_token=x')).toBe('x')
  for (const fragment of ['', 'abc', 'exchange_token=', 'EXCHANGE_TOKEN=x']) expect(exchangeTokenIn(fragment)).toBe('')
})

test('only our own error codes are told; others say that the flow came to nothing', () => {
  expect(authErrorIn('auth_error=FLOW_DENIED')).toBe('FLOW_DENIED')
  for (const code of ['', 'access_denied', 'toString', '__proto__', '<b>hi</b>'])
    expect(authErrorIn(new URLSearchParams({ auth_error: code }).toString())).toBe('FLOW_INVALID')
  for (const fragment of ['', 'FLOW_DENIED', 'exchange_token=x']) expect(authErrorIn(fragment)).toBeUndefined()
})
