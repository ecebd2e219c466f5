import { onScopeDispose, ref, watch } from 'vue'
import type { Arguments } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { usePagedList } from './use-paged-list.ts'

type Query = NonNullable<Arguments<ApiTable['users']['list']>['query']>
export type UserState = NonNullable<Query['state']>
export type UserSort = NonNullable<Query['sort']>

export const USER_STATES = [
  'enabled',
  'disabled',
  'temporary_password',
  'superuser',
] as const satisfies readonly UserState[]
export const USER_SORTS = [
  'username',
  '-username',
  '-created_at',
  'created_at',
  '-last_sign_in_at',
  'last_sign_in_at',
] as const satisfies readonly UserSort[]

const TYPING_PAUSE = 250

/** The users as searched, filtered and sorted; the server does all three. */
export function useUserList() {
  const q = ref('')
  const state = ref<UserState | 'all'>('all')
  const sort = ref<UserSort>('username')
  const list = usePagedList((cursor, signal) => client.users.list({ query: query(cursor) }, { signal }))

  function query(cursor: string | undefined): Query {
    return {
      sort: sort.value,
      limit: '50',
      ...(q.value.trim() ? { q: q.value.trim() } : {}),
      ...(state.value === 'all' ? {} : { state: state.value }),
      ...(cursor === undefined ? {} : { cursor }),
    }
  }

  let typing: ReturnType<typeof setTimeout> | undefined
  watch(q, () => {
    clearTimeout(typing)
    typing = setTimeout(list.reload, TYPING_PAUSE)
  })
  watch([state, sort], list.reload)
  onScopeDispose(() => clearTimeout(typing))
  void list.reload()

  return { q, state, sort, ...list }
}

export type UserList = ReturnType<typeof useUserList>
