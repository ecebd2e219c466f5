import { onScopeDispose, ref, shallowRef } from 'vue'
import type { Answered } from '../../api/endpoint.ts'
import type { ErrorCode } from '../../api/errors.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { authErrorIn } from '../fragment.ts'
import { useAction } from './use-action.ts'
import { useExchange } from './use-exchange.ts'

export type Pairing = Answered<ApiTable['auth']['startPairing']>
const EVERY = 2_000
/** Answers to a question that say nothing of the pairing: it is asked again. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'UNREACHABLE',
  'INTERNAL',
  'STORAGE_UNAVAILABLE',
  'OVERLOADED',
] as const)

/** Begins a pairing, asks until it has come to an end, and signs in with what it brought. The server's clock says when it is over. */
export function usePairing(handle: () => string, arrived: (path: string | undefined) => Promise<void>) {
  const pairing = shallowRef<Pairing>()
  /** Why it came to nothing. */
  const failed = ref<ErrorCode>()
  const begin = useAction(() => client.auth.startPairing({ body: { handle: handle() } }))
  const { exchange, run } = useExchange()
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  async function start(): Promise<boolean> {
    end()
    const mine = turn
    const outcome = await begin.run()
    if (outcome.ok && mine === turn) {
      pairing.value = outcome.data
      wait(mine)
    }
    return outcome.ok
  }

  function wait(mine: number): void {
    timer = setTimeout(() => void look(mine), EVERY)
  }

  async function look(mine: number): Promise<void> {
    const outcome = await client.auth.claimPairing()
    if (mine !== turn) return
    if (!outcome.ok && PASSING.has(outcome.error.code)) return wait(mine)
    if (!outcome.ok) return end(outcome.error.code)
    const { state, exchange_token: secret, reason } = outcome.data
    if (state === 'waiting') return wait(mine)
    if (state === 'refused' || secret === undefined) return end(reasonOf(reason))
    end()
    const exchanged = await run(secret)
    if (exchanged) await arrived(exchanged.redirect_to)
  }

  /** Nobody asks any more; what is still on the way is dropped. */
  function end(why?: ErrorCode): void {
    turn++
    clearTimeout(timer)
    pairing.value = undefined
    failed.value = why
  }

  function cancel(): void {
    end()
    void client.auth.cancelPairing()
  }

  onScopeDispose(() => end())
  return { pairing, failed, begin, exchange, start, cancel }
}

function reasonOf(reason: string | undefined): ErrorCode | undefined {
  return authErrorIn(new URLSearchParams({ auth_error: reason ?? '' }).toString())
}
