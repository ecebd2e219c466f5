import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { Answered } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import type { ErrorCode } from '../../api/errors.ts'
import type { Permission } from '../../api/permissions.ts'
import type { SessionState } from '../admission.ts'
import { client } from '../api.ts'
import { useConnection } from './connection.ts'

export type Me = Answered<ApiTable['auth']['me']>
export type SetupStatus = Answered<ApiTable['auth']['setupStatus']>

/** Who is signed in, as the server last said. */
export const useSession = defineStore('session', () => {
  const connection = useConnection()
  const state = ref<SessionState>('unknown')
  const me = ref<Me>()
  const status = ref<SetupStatus>()
  /** Why the page fell back to the sign-in form, to be told there. */
  const endedBy = ref<ErrorCode>()
  /** The last sign-in proved a password below today's rule. */
  const weakPassword = ref(false)
  let first: Promise<void> | undefined
  let underWay: Promise<void> | undefined

  const setupRequired = computed(() => status.value?.setup_required ?? false)

  function may(permission: Permission): boolean {
    return me.value !== undefined && (me.value.superuser || me.value.permissions.includes(permission))
  }

  /** Resolves once the first answer is in. */
  function ready(): Promise<void> {
    first ??= hydrate()
    return first
  }

  /** Asks the server again; waits for it when it is away. */
  function hydrate(): Promise<void> {
    underWay ??= ask().finally(() => (underWay = undefined))
    return underWay
  }

  async function ask(): Promise<void> {
    for (;;) {
      const [asked, who] = await Promise.all([client.auth.setupStatus(), client.auth.me()])
      if (asked.ok && (who.ok || !isOutage(who.error.code))) {
        status.value = asked.data
        settle(who.ok ? who.data : undefined, who.ok ? undefined : who.error.code)
        return
      }
      await connection.lost(asked.ok ? 'INTERNAL' : asked.error.code)
    }
  }

  function settle(person: Me | undefined, refusal: ErrorCode | undefined): void {
    me.value = person
    if (person) state.value = 'signed-in'
    else if (refusal === 'PASSWORD_CHANGE_REQUIRED') state.value = 'gated'
    else if (state.value !== 'signed-out') {
      signedOut(state.value === 'unknown' && refusal === 'UNAUTHENTICATED' ? undefined : refusal)
    }
  }

  function signedOut(reason?: ErrorCode): void {
    me.value = undefined
    weakPassword.value = false
    endedBy.value = reason
    state.value = 'signed-out'
  }

  /** A call was refused somewhere on the page: draw the conclusion once, here. */
  function heard(code: ErrorCode): void {
    if (state.value === 'unknown') return
    if (code === 'UNREACHABLE') void connection.lost().then(hydrate)
    else if (state.value === 'signed-in' && code === 'PASSWORD_CHANGE_REQUIRED') settle(undefined, code)
    else if (state.value !== 'signed-out' && ENDINGS.has(code)) signedOut(code)
  }

  /** A sign-in has succeeded: learn who it is. */
  async function signedIn(weak: boolean): Promise<void> {
    weakPassword.value = weak
    await hydrate()
  }

  async function signOut(switchTo?: string): Promise<void> {
    const outcome = await client.auth.logout({ query: switchTo === undefined ? {} : { switch_to: switchTo } })
    if (!outcome.ok) return
    if (outcome.data.switched_to) await hydrate()
    else signedOut()
    status.value = await freshStatus()
  }

  async function freshStatus(): Promise<SetupStatus | undefined> {
    const outcome = await client.auth.setupStatus()
    return outcome.ok ? outcome.data : status.value
  }

  function reset(): void {
    signedOut()
    first = undefined
    state.value = 'unknown'
  }

  return {
    state,
    me,
    status,
    endedBy,
    weakPassword,
    setupRequired,
    may,
    ready,
    hydrate,
    heard,
    signedIn,
    signOut,
    reset,
  }
})

const ENDINGS: ReadonlySet<ErrorCode> = new Set(['UNAUTHENTICATED', 'SESSION_EXPIRED', 'ACCOUNT_DISABLED'] as const)

function isOutage(code: ErrorCode): boolean {
  return code === 'UNREACHABLE' || code === 'INTERNAL' || code === 'STORAGE_UNAVAILABLE' || code === 'BAD_ORIGIN'
}
