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
export type LinkedAccount = Me['linked_accounts'][number]
export type SetupStatus = Answered<ApiTable['auth']['setupStatus']>

/**
 * What a person who is signed in has to do before anything else. `expired`: the temporary password's time is over.
 * `scope`: the provider of the ATProto account has to confirm again.
 */
export type Gate = 'password' | 'expired' | 'second_factor' | 'proof' | 'scope'

/** Who is signed in, as the server last said. */
export const useSession = defineStore('session', () => {
  const connection = useConnection()
  const state = ref<SessionState>('unknown')
  /** What holds a gated person. */
  const gate = ref<Gate>('password')
  const me = ref<Me>()
  const status = ref<SetupStatus>()
  /** Why the page fell back to the sign-in form, to be told there. */
  const endedBy = ref<ErrorCode>()
  /** The last sign-in proved a password below today's rule. */
  const weakPassword = ref(false)
  /** While something is shown that will never be shown again, nothing may carry the person away from it. */
  const pinned = ref(false)
  /** Where a link leads that is not ours, while a gate comes first: in memory only, and for this session alone. */
  const onward = ref<string>()
  let first: Promise<void> | undefined
  let underWay: Promise<void> | undefined

  const setupRequired = computed(() => status.value?.setup_required ?? false)

  /** Who else is signed in in this browser. */
  const others = computed(() => me.value?.linked_accounts.filter((account) => !account.current) ?? [])

  /** He has rights, but not where he is. */
  const isElsewhere = computed(() => me.value?.administration === 'elsewhere')

  function holds(permission: Permission): boolean {
    return me.value !== undefined && (me.value.superuser || me.value.permissions.includes(permission))
  }

  /** Whether he may make use of what he holds from where he is. */
  function may(permission: Permission): boolean {
    return holds(permission) && !isElsewhere.value
  }

  /** Resolves once the first answer is in. */
  function ready(): Promise<void> {
    first ??= hydrate()
    return first
  }

  /** Asks the server again; waits for it when it is away. */
  function hydrate(): Promise<void> {
    if (pinned.value) return Promise.resolve()
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
    const held = person?.scope_upgrade_required ? 'scope' : refusal && GATES[refusal]
    // Whom the provider has to confirm is known all the same, and who else he may be.
    me.value = person ?? (held === 'scope' ? me.value : undefined)
    if (held) hold(held)
    else if (person) state.value = 'signed-in'
    else if (state.value !== 'signed-out') {
      signedOut(state.value === 'unknown' && refusal === 'UNAUTHENTICATED' ? undefined : refusal)
    }
  }

  /** An end that was told once stays told: asked who is there, the server says again that a password is due. */
  function hold(by: Gate): void {
    const ended = state.value === 'gated' && gate.value === 'expired'
    gate.value = ended && by === 'password' ? 'expired' : by
    state.value = 'gated'
  }

  function signedOut(reason?: ErrorCode): void {
    me.value = undefined
    weakPassword.value = false
    onward.value = undefined
    endedBy.value = reason
    state.value = 'signed-out'
  }

  /** A call was refused somewhere on the page: draw the conclusion once, here. */
  function heard(code: ErrorCode): void {
    if (state.value === 'unknown') return
    if (code === 'UNREACHABLE') void connection.lost().then(hydrate)
    else if (closes(code)) settle(undefined, code)
    else if (code === 'ADMIN_NETWORK' && !isElsewhere.value) void hydrate()
    else if (state.value !== 'signed-out' && ENDINGS.has(code)) signedOut(code)
  }

  /** Signing in as somebody else can be refused with an ended password too; it says nothing of who is signed in. */
  function closes(code: ErrorCode): boolean {
    if (code === 'TEMP_PASSWORD_EXPIRED') return state.value === 'gated'
    return state.value === 'signed-in' && GATES[code] !== undefined
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

  /** Hands the browser over to another account that is signed in in it. */
  async function switchTo(user_id: number): ReturnType<typeof client.auth.switchAccount> {
    const outcome = await client.auth.switchAccount({ body: { target_user_id: user_id } })
    // Refused, it is asked as well: the account that could not be had is no longer offered then.
    await hydrate()
    return outcome
  }

  async function signOutAll(): Promise<void> {
    const outcome = await client.auth.logoutAll()
    if (!outcome.ok) return
    signedOut()
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
    gate,
    pinned,
    onward,
    me,
    others,
    status,
    endedBy,
    weakPassword,
    setupRequired,
    isElsewhere,
    holds,
    may,
    ready,
    hydrate,
    heard,
    signedIn,
    signOut,
    signOutAll,
    switchTo,
    reset,
  }
})

const GATES: Partial<Record<ErrorCode, Gate>> = {
  PASSWORD_CHANGE_REQUIRED: 'password',
  TEMP_PASSWORD_EXPIRED: 'expired',
  MFA_ENROLMENT_REQUIRED: 'second_factor',
  SECOND_FACTOR_REQUIRED: 'proof',
  SCOPE_UPGRADE_REQUIRED: 'scope',
}

const ENDINGS: ReadonlySet<ErrorCode> = new Set(['UNAUTHENTICATED', 'SESSION_EXPIRED', 'ACCOUNT_DISABLED'] as const)

function isOutage(code: ErrorCode): boolean {
  return code === 'UNREACHABLE' || code === 'INTERNAL' || code === 'STORAGE_UNAVAILABLE' || code === 'BAD_ORIGIN'
}
