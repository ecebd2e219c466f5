import type { Answered } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { useFreshToken } from '../stores/fresh-token.ts'
import { useSession } from '../stores/session.ts'
import { rememberHandle } from '../used-handles.ts'
import { useAction } from './use-action.ts'

export type Exchanged = Answered<ApiTable['auth']['exchange']>

/** Turns an exchange token into what it stands for: a session, or a developer token that is kept until it is shown. */
export function useExchange() {
  const session = useSession()
  const fresh = useFreshToken()
  const exchange = useAction((token: string) => client.auth.exchange({ body: { exchange_token: token } }))

  async function run(token: string): Promise<Exchanged | undefined> {
    const outcome = await exchange.run(token)
    if (!outcome.ok) return undefined
    const { developer_token: made, session_id: secret } = outcome.data
    if (made) fresh.keep({ token: secret, ...made })
    else await enter()
    return outcome.data
  }

  async function enter(): Promise<void> {
    await session.signedIn(false)
    const handle = session.me?.handle
    if (handle) rememberHandle(handle)
  }

  return { exchange, run }
}
