import { onScopeDispose, ref, watch } from 'vue'
import { useRouter } from 'vue-router'
import type { Outcome } from '../../api/client.ts'
import type { Answered } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import type { OwnPath } from '../return-url.ts'
import { type Gate, useSession } from '../stores/session.ts'
import { lastTried } from '../used-handles.ts'
import { useAction } from './use-action.ts'
import { useAuthError } from './use-auth-error.ts'

export type Stage = 'account' | 'code' | 'startup' | 'change' | 'offer' | 'enrol' | 'proof' | 'scope' | 'pairing'
type SignedIn = Answered<ApiTable['auth']['login']>

/** The way from nobody to somebody, stage by stage. The password stays in memory between its stage and the code's. */
export function useSignIn(adding: boolean, wanted: OwnPath | undefined) {
  const session = useSession()
  const router = useRouter()
  const stage = ref<Stage>(firstStage())
  const username = ref('')
  const password = ref('')
  /** Why the provider's browser came back without a sign-in. */
  const refused = useAuthError('/login')
  /** The startup token that the address brought. */
  const given = refused.startupToken
  /** The handle of the ATProto account that is to sign in. */
  const tried = refused.code.value ? lastTried() : undefined
  const handle = ref(tried?.handle ?? '')
  const returnUrl = wanted ?? tried?.returnUrl

  const enter = useAction(() => client.auth.login({ body: passwordForm() }), {
    texts: { TEMP_PASSWORD_EXPIRED: 'login.tempPasswordExpired' },
  })
  const prove = useAction(
    (code: string, trust: boolean) =>
      client.auth.login({ body: { ...passwordForm(), code, trust_device_flag: trust } }),
    {
      fields: { INCORRECT_CREDENTIALS: 'code', TOTP_REQUIRED: 'code' },
      texts: {
        INCORRECT_CREDENTIALS: 'error.TOTP_CODE_WRONG',
        TOTP_REQUIRED: 'error.TOTP_CODE_WRONG',
        TEMP_PASSWORD_EXPIRED: 'login.tempPasswordExpired',
      },
    },
  )
  const redeem = useAction(
    (token: string) => client.auth.login({ body: { login_type: 'temporary_token', temporary_token: token } }),
    { fields: { TEMPORARY_TOKEN_INVALID: 'temporary_token' } },
  )

  function passwordForm() {
    return { username: username.value, password: password.value, ...(adding ? { add_account: true } : {}) }
  }

  async function submitAccount(): Promise<boolean> {
    const outcome = await enter.run()
    if (outcome.ok || outcome.error.code !== 'TOTP_REQUIRED') return arrive(outcome)
    enter.clear()
    stage.value = 'code'
    return true
  }

  async function submitCode(code: string, trust: boolean): Promise<boolean> {
    return arrive(await prove.run(code, trust))
  }

  async function submitStartupToken(token: string): Promise<boolean> {
    return arrive(await redeem.run(token))
  }

  async function arrive(outcome: Outcome<SignedIn>): Promise<boolean> {
    if (!outcome.ok) return false
    password.value = ''
    if (outcome.data.require_password_change) await session.hydrate()
    else if (outcome.data.change_pwd_hint) stage.value = 'offer'
    else await finish(outcome.data.password_upgrade_required)
    return true
  }

  /** Signed in for good: learn who it is, and go on to where the person wanted to be. */
  async function finish(weakPassword = false): Promise<void> {
    const { onward } = session
    await session.signedIn(weakPassword)
    await goOn(onward)
  }

  /** `onward`: a page elsewhere; else a path of ours. */
  async function goOn(onward?: string, path = returnUrl): Promise<void> {
    if (session.state !== 'signed-in') return void (stage.value = firstStage())
    session.onward = undefined
    if (onward) location.assign(onward)
    else await router.replace(path ?? { name: 'overview' })
  }

  function firstStage(): Stage {
    return session.state === 'gated' ? STAGES[session.gate] : 'account'
  }

  function pair(): void {
    refused.clear()
    stage.value = 'pairing'
  }

  function useStartupToken(): void {
    stage.value = 'startup'
  }

  function restart(): void {
    for (const action of [enter, prove, redeem]) action.clear()
    password.value = ''
    stage.value = firstStage()
  }

  async function signOut(): Promise<void> {
    await session.signOut()
    restart()
  }

  watch(given, (token) => token && session.state !== 'gated' && useStartupToken(), { immediate: true })
  onScopeDispose(() => (session.onward = undefined))
  watch(
    () => [session.state, session.gate] as const,
    ([state, gate]) => {
      if (state === 'gated') stage.value = STAGES[gate]
      else if (state === 'signed-out' && HELD.has(stage.value)) restart()
    },
  )

  return {
    stage,
    username,
    password,
    handle,
    refused,
    given,
    returnUrl,
    enter,
    prove,
    redeem,
    submitAccount,
    submitCode,
    submitStartupToken,
    finish,
    goOn,
    pair,
    useStartupToken,
    restart,
    signOut,
  }
}

export type SignIn = ReturnType<typeof useSignIn>

const STAGES: Record<Gate, Stage> = {
  password: 'change',
  expired: 'change',
  second_factor: 'enrol',
  proof: 'proof',
  scope: 'scope',
}
const HELD: ReadonlySet<Stage> = new Set(Object.values(STAGES))
