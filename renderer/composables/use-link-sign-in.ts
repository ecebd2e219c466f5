import { ref } from 'vue'
import { useRouter } from 'vue-router'
import { client } from '../api.ts'
import { redirectTarget } from '../redirect-target.ts'
import { dropSecret } from '../secret-link.ts'
import { useSession } from '../stores/session.ts'
import { useAction } from './use-action.ts'

/** Signs in with the secret of a link when told to, and goes on to where the link leads. */
export function useLinkSignIn(secret: string) {
  const session = useSession()
  const router = useRouter()
  const redeem = useAction(() => client.auth.login({ body: { login_type: 'login_token', login_token: secret } }))
  const done = ref(false)

  async function submit(): Promise<boolean> {
    const outcome = await redeem.run()
    if (!outcome.ok) return false
    done.value = true
    dropSecret('/login/token')
    await session.signedIn(outcome.data.password_upgrade_required)
    await goOn(outcome.data.redirect_to)
    return true
  }

  /** A person whom the gate holds goes to the sign-in page first, and from there to where the link leads. */
  async function goOn(address: string | undefined): Promise<void> {
    const target = redirectTarget(address)
    const elsewhere = target && 'elsewhere' in target ? target.elsewhere : undefined
    const own = target && 'own' in target ? target.own : undefined
    if (session.state === 'signed-in' && elsewhere) return location.assign(elsewhere)
    if (session.state === 'signed-in') return void (await router.replace(own ?? { name: 'overview' }))
    session.onward = elsewhere
    await router.replace({ name: 'login', query: own ? { returnUrl: own } : {} })
  }

  return { redeem, submit, done }
}
