import { expect, test } from 'vitest'
import { generatePassword, randomBelow } from '../../renderer/password-generator.ts'

test.each([8, 16, 128])('a generated password of %i characters holds every class', (length) => {
  for (let round = 0; round < 200; round++) {
    const password = generatePassword(length)
    expect(password).toHaveLength(length)
    for (const kind of [/[a-z]/, /[A-Z]/, /[2-9]/, /[^A-Za-z0-9]/]) expect(password).toMatch(kind)
    expect(password).not.toMatch(/[lI1O0]/)
  }
})

test('words beyond the last full round are thrown away, so that no number is likelier than another', () => {
  const fair = 2 ** 32 - (2 ** 32 % 10)
  const words = [fair, 2 ** 32 - 1, 17]
  expect(randomBelow(10, () => words.shift() ?? 0)).toBe(7)
  expect(words).toEqual([])
})

test('all numbers come up about equally often', () => {
  const counts = Array.from({ length: 7 }, () => 0)
  for (let draw = 0; draw < 70_000; draw++) {
    const number = randomBelow(7)
    counts[number] = (counts[number] ?? 0) + 1
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(600)
})

test('no two are the same', () => {
  expect(new Set(Array.from({ length: 500 }, () => generatePassword())).size).toBe(500)
})
