import { computed, ref, shallowRef, watch } from 'vue'
import type { Person } from '../../api/schemas.ts'
import { client } from '../api.ts'
import { useSession } from '../stores/session.ts'

const TYPING_PAUSE = 250
const MOST = 20

/**
 * People by what is typed of their names. The server searches for whoever may administer users; others find those who
 * are `known` to the page already. Until it has answered, those who were there before and fit stay, and nobody else: an
 * early Enter takes no wrong person.
 */
export function usePersonSearch(known: () => readonly Person[]) {
  const session = useSession()
  const typed = ref('')
  const found = shallowRef<Person[]>([])
  /** What `found` is the answer to. */
  const foundFor = ref<string>()
  /** Stays among those found while another is searched: the field shows his name. */
  const chosen = shallowRef<Person>()
  let pending = new AbortController()

  const wanted = computed(() => (typed.value === chosen.value?.username ? '' : typed.value.trim()))
  const answered = computed(() => foundFor.value === wanted.value)
  const people = computed(() => {
    const fitting = answered.value ? found.value : found.value.filter((person) => fits(person, wanted.value))
    const others = fitting.filter(({ user_id }) => user_id !== chosen.value?.user_id)
    return chosen.value && wanted.value === '' ? [chosen.value, ...others] : others
  })

  async function search(): Promise<void> {
    pending.abort()
    const { signal } = (pending = new AbortController())
    const q = wanted.value
    const familiar = known().filter((person) => fits(person, q))
    if (!session.may('USER_CONFIG')) return show(familiar, q)
    const outcome = await client.users.list({ query: { limit: String(MOST), ...(q ? { q } : {}) } }, { signal })
    if (signal.aborted || !outcome.ok) return
    const ids = new Set(outcome.data.items.map(({ user_id }) => user_id))
    show([...outcome.data.items, ...familiar.filter(({ user_id }) => !ids.has(user_id))].slice(0, MOST), q)
  }

  function show(list: Person[], q: string): void {
    found.value = list
    foundFor.value = q
  }

  function choose(user_id: number | null): void {
    const all = [...(chosen.value ? [chosen.value] : []), ...found.value]
    chosen.value = all.find((person) => person.user_id === user_id)
  }

  watch(typed, (_text, _before, onCleanup) => {
    const timer = setTimeout(search, TYPING_PAUSE)
    onCleanup(() => clearTimeout(timer))
  })

  return { typed, people, answered, choose, search }
}

function fits({ username, display_name }: Person, q: string): boolean {
  const part = q.toLowerCase()
  return username.includes(part) || (display_name?.toLowerCase().includes(part) ?? false)
}
