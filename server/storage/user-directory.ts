import { setImmediate } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import type { Engine } from './engine.ts'
import type { UserQuery } from './port.ts'
import type { Tables } from './tables.ts'
import { isDescending, needleOf } from './user-conditions.ts'
import type { Found, UserFinder } from './user-finder.ts'

/** What a list looks at of one user. */
interface Entry {
  user_id: number
  username: string
  created_at: number
  last_sign_in_at: number
  manager_id: number | null
  enabled: number
  superuser: number
  require_password_change: number
}

interface Block {
  revision: number
  entries: readonly Entry[]
  /** The search texts of all its users, one behind another: a search in one long text takes half the time. */
  text: string
  /** Where in it the text of each user ends. */
  ends: readonly number[]
}

/** Blocks that are read in one query, and scanned in one go: other requests get their turn in between. */
const READ_AT_ONCE = 8
const SCANNED_AT_ONCE = 64

/**
 * Finds users of the embedded engine by looking at all of them, in memory: 100,000 take 5 ms, where SQLite, which has no
 * index of parts of words here, takes 40. Costs about 300 bytes a user, from the first list that anybody asks for.
 *
 * It is always as new as the database: triggers count the changes of each block of 256 users (migration 0002), and a
 * block whose count has moved is read again before a search.
 */
export function createUserDirectory(db: Kysely<Tables>, engine: Engine): UserFinder {
  const most = 10_000
  const blocks = new Map<number, Block>()
  let epoch = engine.epoch?.()
  let version: number | undefined
  let refreshing = Promise.resolve()

  /** One after another: a slow one must not put older blocks over newer ones. */
  function refresh(): Promise<void> {
    const refreshed = refreshing.then(readChanges)
    refreshing = refreshed.catch(() => undefined)
    return refreshed
  }

  async function readChanges(): Promise<void> {
    // After a failed write memory went back to the disk's state: the same revision may be another change by now.
    if (epoch !== engine.epoch?.()) blocks.clear()
    epoch = engine.epoch?.()
    const before = engine.version?.()
    if (before !== undefined && before === version) return
    version = undefined
    const current = await db.selectFrom('user_blocks').selectAll().orderBy('block').execute()
    const stale = current.filter(({ block, revision }) => blocks.get(block)?.revision !== revision)
    for (const run of runsOf(stale)) await readBlocks(run)
    if (epoch === engine.epoch?.()) version = before
    else return readChanges()
  }

  async function readBlocks(run: readonly { block: number; revision: number }[]): Promise<void> {
    const rows = Map.groupBy(await readRows(db, run[0]?.block ?? 0, run.at(-1)?.block ?? 0), blockOf)
    for (const { block, revision } of run) blocks.set(block, toBlock(revision, rows.get(block) ?? []))
    await setImmediate()
  }

  async function scan(query: UserQuery, isEnough: (total: number) => boolean, take: (entry: Entry) => void) {
    await refresh()
    const needle = needleOf(query)
    const isWanted = filterOf(query)
    let [total, scanned] = [0, 0]
    for (const block of [...blocks.values()]) {
      for (const entry of needle === '' ? block.entries : holding(block, needle)) {
        if (!isWanted(entry)) continue
        total += 1
        take(entry)
      }
      if (isEnough(total)) break
      scanned += 1
      if (scanned % SCANNED_AT_ONCE === 0) await setImmediate()
    }
    return total
  }

  async function gather(query: UserQuery): Promise<Found> {
    const page = createPage(query)
    const total = await scan(query, () => false, page.take)
    return { ids: page.ids(), total }
  }

  return {
    window: 1_000,
    most,

    async countAll() {
      const { total } = await db
        .selectFrom('users')
        .select((select) => select.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      // Whoever looks at the list may search next: by then everything is read.
      refresh().catch(() => undefined)
      return total
    },

    count: (query) =>
      scan(
        query,
        (total) => total > most,
        () => {},
      ),

    gatherFew: gather,
    gather,
  }
}

const blockOf = ({ user_id }: Entry): number => user_id >> 8

/** What no text holds that comes from outside, and therefore no term. */
const SEPARATOR = '\0'

function toBlock(revision: number, rows: readonly Row[]): Block {
  let end = 0
  const ends = rows.map(({ search_text }) => (end += search_text.length + 1))
  const text = rows.map(({ search_text }) => search_text).join(SEPARATOR)
  return { revision, entries: rows.map(({ search_text: _, ...entry }) => entry), text, ends }
}

/** The users of a block whose text holds the term. */
function* holding({ entries, text, ends }: Block, term: string): Generator<Entry> {
  let index = 0
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, ends[index])) {
    while ((ends[index] ?? Infinity) <= at) index += 1
    const entry = entries[index]
    if (entry) yield entry
  }
}

/** Cut where blocks are not neighbours, or too many for one query. */
function runsOf<T extends { block: number }>(stale: readonly T[]): T[][] {
  const runs: T[][] = []
  for (const one of stale) {
    const run = runs.at(-1)
    if (run && run.length < READ_AT_ONCE && run.at(-1)?.block === one.block - 1) run.push(one)
    else runs.push([one])
  }
  return runs
}

type Row = Entry & { search_text: string }

async function readRows(db: Kysely<Tables>, first: number, last: number): Promise<Row[]> {
  const { rows } = await sql<Row>`select user_id, username, created_at, signed_in_at as last_sign_in_at,
      manager_id, enabled, superuser, require_password_change, search_text
    from users where user_id between ${first * 256} and ${last * 256 + 255}`.execute(db)
  return rows
}

function filterOf({ managed_by, state }: UserQuery): (entry: Entry) => boolean {
  return (entry) =>
    (managed_by === undefined || entry.manager_id === managed_by) && (state === undefined || isInState(entry, state))
}

function isInState(entry: Entry, state: NonNullable<UserQuery['state']>): boolean {
  switch (state) {
    case 'enabled':
      return entry.enabled === 1
    case 'disabled':
      return entry.enabled === 0
    case 'temporary_password':
      return entry.require_password_change === 1
    case 'superuser':
      return entry.superuser === 1
  }
}

/** Keeps those entries of all it is given that come first behind the cursor. */
function createPage(query: UserQuery): { take: (entry: Entry) => void; ids: () => number[] } {
  const valueOf = valueReader(query.sort)
  const { after, limit } = query
  const sign = isDescending(query) ? -1 : 1
  const page: Entry[] = []

  function compare(entry: Entry, value: string | number, user_id: number): number {
    const own = valueOf(entry)
    return sign * (own < value ? -1 : own > value ? 1 : entry.user_id - user_id)
  }

  function take(entry: Entry): void {
    if (after && compare(entry, after.value, after.user_id) <= 0) return
    const last = page.length === limit ? page.at(-1) : undefined
    if (last && compare(entry, valueOf(last), last.user_id) > 0) return
    let [low, high] = [0, page.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const other = page[middle]
      if (other && compare(entry, valueOf(other), other.user_id) > 0) low = middle + 1
      else high = middle
    }
    page.splice(low, 0, entry)
    if (page.length > limit) page.pop()
  }

  return { take, ids: () => page.map(({ user_id }) => user_id) }
}

function valueReader(sort: UserQuery['sort']): (entry: Entry) => string | number {
  switch (sort) {
    case 'username':
    case '-username':
      return (entry) => entry.username
    case 'created_at':
    case '-created_at':
      return (entry) => entry.created_at
    case 'last_sign_in_at':
    case '-last_sign_in_at':
      return (entry) => entry.last_sign_in_at
  }
}
