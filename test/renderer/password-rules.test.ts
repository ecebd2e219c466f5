import { expect, test } from 'vitest'
import { lengthOf, strengthOf } from '../../renderer/password-rules.ts'

test('characters are counted as people count them', () => {
  expect(lengthOf('😀😀😀')).toBe(3)
})

test.each([
  ['', 0],
  ['aaaaaaaaaaaaaaaa', 0],
  ['12345678', 0],
  ['violet harbour kettle', 4],
] as const)('%j has strength %i', (password, strength) => expect(strengthOf(password)).toBe(strength))

test('a longer one of the same kind is never weaker', () => {
  const letters = 'mountain spoon velvet window'
  const levels = [...letters].map((_, end) => strengthOf(letters.slice(0, end)))
  expect(levels).toEqual([...levels].sort((a, b) => a - b))
})
