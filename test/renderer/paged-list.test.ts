import { expect, test } from 'vitest'
import type { Outcome } from '../../api/client.ts'
import { usePagedList } from '../../renderer/composables/use-paged-list.ts'

interface Page {
  items: number[]
  next_cursor: string | null
  total: number
}

/** A list on a server that can be slow: pages of two, answered in order when told to. */
function buildList(rows: number[]) {
  const waiting: (() => void)[] = []
  const list = usePagedList<number>(async (cursor) => {
    await new Promise<void>((answer) => waiting.push(answer))
    const from = Number(cursor ?? 0)
    const data: Page = { items: rows.slice(from, from + 2), next_cursor: null, total: rows.length }
    if (from + 2 < rows.length) data.next_cursor = String(from + 2)
    return { ok: true, data } satisfies Outcome<Page>
  })
  const answer = async () => {
    waiting.shift()?.()
    await new Promise((done) => setTimeout(done))
  }
  return { list, answer, open: () => waiting.length }
}

test('a refresh shows what is new and keeps as many rows', async () => {
  const rows = [3, 2, 1, 0]
  const { list, answer } = buildList(rows)
  void list.reload()
  await answer()
  void list.more()
  await answer()
  expect(list.items.value).toEqual([3, 2, 1, 0])
  rows.unshift(4)
  void list.refresh()
  expect(list.busy.value).toBe(false)
  await answer()
  expect(list.items.value).toEqual([3, 2, 1, 0])
  await answer()
  expect(list.items.value).toEqual([4, 3, 2, 1])
  expect(list.hasMore.value).toBe(true)
})

test('what changes while a page is under way is shown after it, whichever was asked first', async () => {
  const rows = [3, 2, 1, 0]
  const { list, answer, open } = buildList(rows)
  void list.reload()
  void list.refresh()
  expect(open()).toBe(1)
  await answer()
  expect(open()).toBe(1)
  void list.more()
  await answer()
  expect(list.items.value).toEqual([3, 2])
  await answer()
  expect(list.items.value).toEqual([3, 2, 1, 0])
  rows[3] = 9
  await answer()
  await answer()
  expect(list.items.value).toEqual([3, 2, 1, 9])
  expect(open()).toBe(0)
})

test('news that come one after the other are asked for once', async () => {
  const { list, answer, open } = buildList([1, 0])
  void list.reload()
  await answer()
  for (let each = 0; each < 5; each++) void list.refresh()
  expect(open()).toBe(1)
  await answer()
  expect(open()).toBe(1)
  await answer()
  expect(open()).toBe(0)
})
