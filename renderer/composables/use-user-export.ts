import { onScopeDispose, ref, shallowRef } from 'vue'
import type { Refused } from '../../api/client.ts'
import { client } from '../api.ts'
import { EXPORT_HEAD, type Exported, exportLine } from '../export-rows.ts'
import { saveFile } from '../save-file.ts'
import { useSession } from '../stores/session.ts'
import type { UserList } from './use-user-list.ts'

/** The most that a page of the list holds. */
const AT_ONCE = '200'
/** Lines that are put together before the page may breathe. */
const LINES_AT_ONCE = 2000

/** Fetches the list as it is searched and filtered, page by page, and saves it as one file. */
export function useUserExport({ q, state }: Pick<UserList, 'q' | 'state'>) {
  const session = useSession()
  const done = ref(0)
  const total = ref(0)
  const error = shallowRef<Refused>()
  let under = new AbortController()

  /** How many users there are in the saved file; undefined when it came to nothing. */
  async function run(): Promise<number | undefined> {
    cancel()
    const { signal } = (under = new AbortController())
    const users = await fetchAll(signal)
    const names = users && (await namesFor(users, signal))
    const parts = names && (await linesOf(users, names))
    if (!parts || signal.aborted) return undefined
    const day = new Date().toISOString().slice(0, 10)
    saveFile(`latchkey-users-${day}.csv`, [EXPORT_HEAD, ...parts], 'text/csv;charset=utf-8')
    return users.length
  }

  async function fetchAll(signal: AbortSignal): Promise<Exported[] | undefined> {
    const users: Exported[] = []
    const filter = {
      limit: AT_ONCE,
      sort: 'username' as const,
      ...(q.value.trim() ? { q: q.value.trim() } : {}),
      ...(state.value === 'all' ? {} : { state: state.value }),
    }
    for (let cursor: string | null = ''; cursor !== null;) {
      const outcome = await client.users.list({ query: { ...filter, ...(cursor ? { cursor } : {}) } }, { signal })
      if (signal.aborted) return undefined
      if (!outcome.ok) return fail(outcome.error)
      users.push(...outcome.data.items)
      total.value = outcome.data.total
      done.value = users.length
      cursor = outcome.data.next_cursor
    }
    return users
  }

  /** The managers' names: most are in the list themselves, the others are asked for. */
  async function namesFor(users: readonly Exported[], signal: AbortSignal): Promise<Map<number, string> | undefined> {
    const names = new Map(users.map(({ user_id, username }) => [user_id, username]))
    if (session.me) names.set(session.me.user_id, session.me.username)
    const unknown = new Set(users.map(({ manager_id }) => manager_id).filter((id) => id !== null && !names.has(id)))
    for (const id of unknown) {
      const outcome = await client.users.read({ params: { id: String(id) } }, { signal })
      if (signal.aborted) return undefined
      if (outcome.ok) names.set(outcome.data.user_id, outcome.data.username)
    }
    return names
  }

  async function linesOf(users: readonly Exported[], names: ReadonlyMap<number, string>): Promise<string[]> {
    const parts: string[] = []
    for (let start = 0; start < users.length; start += LINES_AT_ONCE) {
      const slice = users.slice(start, start + LINES_AT_ONCE)
      parts.push(slice.map((user) => exportLine(user, (id) => names.get(id) ?? '')).join(''))
      await new Promise((resolve) => setTimeout(resolve))
    }
    return parts
  }

  function fail(refused: Refused): undefined {
    error.value = refused
  }

  function cancel(): void {
    under.abort()
    error.value = undefined
    done.value = 0
    total.value = 0
  }

  onScopeDispose(cancel)
  return { done, total, error, run, cancel }
}
