import { expect, test } from 'vitest'
import { dashedCode, isPairingCode, plainCode } from '../../renderer/pairing-code.ts'

test('a pairing code is taken in any case, with dashes and spaces of any kind', () => {
  for (const typed of ['ABCD2345', 'abcd-2345', ' AbCd – 2345 ']) expect(plainCode(typed)).toBe('ABCD2345')
  for (const typed of ['abcd-2345', 'ABCD 2345']) expect(isPairingCode(typed)).toBe(true)
})

test('what is no code is told before it is asked for', () => {
  for (const typed of ['', 'ABCD-234', 'ABCD-23456', 'ABCI-2345', 'ABCO-2345', 'ABCL-2345', 'ABCU-2345'])
    expect(isPairingCode(typed), typed).toBe(false)
})

test('it is shown with a dash in the middle', () => {
  expect(dashedCode('abcd2345')).toBe('ABCD-2345')
  expect(dashedCode('abc')).toBe('ABC')
  expect(dashedCode('')).toBe('')
})
