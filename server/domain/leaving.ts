import type { Settings } from '../../api/settings.ts'
import type { Refusal } from './attempts.ts'
import type { Flows, FlowStart } from './flows.ts'
import { FLOW_LIFE } from './lifetimes.ts'
import { createSecret, type Random } from './one-time-secret.ts'
import type { Pace } from './pace.ts'
import { type Identity, type Provider, ProviderFault } from './provider.ts'
import type { Actor, Origin } from './sessions.ts'

interface LeavingDeps {
  settings: () => Settings
  provider: Provider
  flows: Flows
  pace: Pace
  clock: () => number
  random: Random
}

/** The cookie that binds flows and pairings to the browser that began them. */
export interface FlowCookie {
  flow(): string | undefined
  setFlow(nonce: string, expires_at: number): void
}

/** A request that makes us speak with a provider. */
interface Asking<Code extends string> {
  deps: LeavingDeps
  actor?: Actor | undefined
  from: Origin
  fail: (code: Code) => never
  tooMany: (refusal: Refusal) => never
}

type Unknown = 'ATPROTO_DISABLED' | 'HANDLE_UNRESOLVED' | 'PROVIDER_UNREACHABLE'
export type CannotLeave = Unknown | 'PAIRING_REQUIRED'

/** Sends this browser to a provider: answers the address. */
export async function leave(
  asking: Asking<CannotLeave> & { base: string; cookies: FlowCookie },
  start: Omit<FlowStart, 'nonce' | 'base'>,
): Promise<string> {
  const { deps, from, base, fail, tooMany, cookies } = asking
  const { reach } = deps.provider
  if (!deps.settings().atproto_enabled || reach === 'none') return fail('ATPROTO_DISABLED')
  if (needsPairing(deps.provider, from)) return fail('PAIRING_REQUIRED')
  const slow = await deps.pace('start', asking.actor, from)
  if (slow) return tooMany(slow)
  const begun = await deps.flows.begin({ ...start, nonce: bind(deps, cookies), base })
  return 'refused' in begun ? fail(begun.refused) : begun.auth_url
}

/** Whether accounts can be made from here: whoever makes one must be let in afterwards, and nobody can have linked it before. */
export function createsAccounts({ settings, provider }: Pick<LeavingDeps, 'settings' | 'provider'>): boolean {
  const { atproto_enabled, atproto_sign_up, account_creation_enabled } = settings()
  return atproto_enabled && account_creation_enabled && atproto_sign_up === 'open' && provider.reach !== 'none'
}

/** Whether a provider could not send this browser back to us. */
export function needsPairing({ reach }: Provider, { loopback }: Origin): boolean {
  return reach === 'loopback' && !loopback
}

/** The form of a nonce that we made. */
const NONCE = /^[\w-]{43}$/

/** The nonce that this browser's cookie holds from now on: the one that it has, so that flows in two tabs do not part each other. */
export function bind({ clock, random }: Pick<LeavingDeps, 'clock' | 'random'>, cookies: FlowCookie): string {
  const held = cookies.flow()
  // One that we did not make is not taken over: whoever put it there would know it.
  const nonce = held !== undefined && NONCE.test(held) ? held : createSecret(random)
  cookies.setFlow(nonce, clock() + 2 * FLOW_LIFE)
  return nonce
}

/** Whose handle this is. */
export async function identify(
  { deps, actor, from, fail, tooMany }: Asking<Unknown>,
  handle: string,
): Promise<Identity> {
  if (!deps.settings().atproto_enabled) return fail('ATPROTO_DISABLED')
  const slow = await deps.pace('ask', actor, from)
  if (slow) return tooMany(slow)
  try {
    return await deps.provider.identify(handle)
  } catch (error) {
    if (!(error instanceof ProviderFault)) throw error
    return fail(error.code === 'HANDLE_UNRESOLVED' ? error.code : 'PROVIDER_UNREACHABLE')
  }
}
