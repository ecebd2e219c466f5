import { expect, test } from 'vitest'
import { runAtMost } from '../../renderer/run-at-most.ts'

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 1))

test('everything is done once, in order of beginning, never more than so many at once', async () => {
  const begun: number[] = []
  let atOnce = 0
  let most = 0
  const left = await runAtMost(
    3,
    [1, 2, 3, 4, 5, 6, 7],
    () => false,
    async (n) => {
      begun.push(n)
      most = Math.max(most, ++atOnce)
      await turn()
      atOnce--
    },
  )
  expect(begun).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(most).toBe(3)
  expect(left).toEqual([])
})

test('once stopped, nothing more is begun, what was begun is waited for, and the rest is told', async () => {
  const ended: string[] = []
  let stopped = false
  const left = await runAtMost(
    2,
    ['a', 'b', 'c', 'd'],
    () => stopped,
    async (name) => {
      if (name === 'b') stopped = true
      await turn()
      ended.push(name)
    },
  )
  expect(ended).toEqual(['a', 'b'])
  expect(left).toEqual(['c', 'd'])
})
