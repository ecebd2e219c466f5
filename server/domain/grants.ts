import type { Settings } from '../../api/settings.ts'
import type { GrantRecord } from '../storage/port/atproto.ts'
import type { SessionRecord, Storage } from '../storage/port.ts'
import type { RecordEvent, SecurityEvent } from './events.ts'
import { GRANT_LIFE, REFRESH_EVERY, REFRESH_LOST_AFTER } from './lifetimes.ts'
import { type Provider, RefreshFault } from './provider.ts'
import type { Vault } from './vault.ts'

/** Grants looked after in one round, each kind. */
const AT_ONCE = 50
/** Whoever asks this soon after a refresh is answered without asking again. */
const JUST_HEARD = 10_000
/** Milliseconds that a grant is left alone whose provider could not be asked, so that others get their turn. */
const REST = 60 * 60_000
/** Milliseconds between looks at a refresh that another server has under way. */
const LOOK_AGAIN = 250

export interface GrantsDeps {
  storage: Storage
  provider: Provider
  vault: Vault
  clock: () => number
  /** Writes down what the server finds out by itself. */
  record: RecordEvent
  /** Something failed that is tried again later. */
  failed: (error: unknown) => void
  wait: (milliseconds: number) => Promise<void>
}

export interface Grants {
  /** The purpose under which what is kept of a grant is sealed. */
  seal(grant_id: string, kept: string): string
  /**
   * Renews a grant, and answers whether it stands. However many ask at once, in whatever number of servers, the provider is asked
   * once; who asks some seconds later is told the same. `unreachable`: it could not be asked, and nothing has changed.
   */
  refresh(grant_id: string): Promise<'live' | 'dead' | 'unreachable'>
  /** Gives grants back that nobody can use any more, renews those whose time has come, and finds out lost ones. */
  tend(isStopping: () => boolean): Promise<void>
  /** Ends what was sent by a process that is no more; for a server that has the database for itself. */
  endInterrupted(): Promise<void>
}

export function createGrants({ storage, provider, vault, clock, record, failed, wait }: GrantsDeps): Grants {
  const { atproto } = storage
  const underWay = new Map<string, Promise<'live' | 'dead' | 'unreachable'>>()
  const resting = new Map<string, number>()
  const seal = (grant_id: string, kept: string) => vault.seal(kept, purposeOf(grant_id))

  async function renew(grant_id: string): Promise<'live' | 'dead' | 'unreachable'> {
    const grant = await atproto.findGrant(grant_id)
    if (!grant || grant.sealed === null) return 'dead'
    if (grant.refreshing_since !== null) return follow(grant)
    if (grant.refreshed_at > grant.granted_at && clock() - grant.refreshed_at < JUST_HEARD) return 'live'
    let begun_at: number | undefined
    try {
      await provider.refresh(
        grant.did,
        vault.open(grant.sealed, purposeOf(grant_id)),
        async () => {
          const now = clock()
          if (!(await atproto.beginRefresh(grant_id, now))) throw new RefreshFault('unsent', 'another is refreshing it')
          begun_at = now
        },
        async ({ scope: named, kept }) => {
          const scope = named.length > LONGEST_SCOPE ? '' : named
          const brought = { scope, sealed: seal(grant_id, kept), refreshed_at: clock() }
          await atproto.finishRefresh(grant_id, begun_at ?? 0, brought)
        },
      )
      return 'live'
    } catch (error) {
      return settle(grant, begun_at, error)
    }
  }

  async function settle(grant: GrantRecord, begun_at: number | undefined, error: unknown) {
    const outcome = error instanceof RefreshFault ? error.outcome : 'lost'
    if (outcome === 'unsent' && begun_at === undefined) {
      const now = await atproto.findGrant(grant.grant_id)
      if (now?.refreshing_since) return follow(now)
    }
    if (outcome === 'unsent') {
      failed(error)
      if (begun_at !== undefined) await atproto.releaseRefresh(grant.grant_id, begun_at)
      return 'unreachable'
    }
    failed(error)
    await end(grant, outcome)
    return 'dead'
  }

  /** Waits for the refresh of another server. */
  async function follow(grant: GrantRecord): Promise<'live' | 'dead' | 'unreachable'> {
    const since = grant.refreshing_since ?? 0
    for (let waited = 0; waited < REFRESH_LOST_AFTER; waited += LOOK_AGAIN) {
      const now = await atproto.findGrant(grant.grant_id)
      if (!now || now.sealed === null) return 'dead'
      if (now.refreshing_since === null) return now.refreshed_at >= since ? 'live' : 'unreachable'
      if (clock() - since > REFRESH_LOST_AFTER) break
      await wait(LOOK_AGAIN)
    }
    await endLost()
    return (await atproto.findGrant(grant.grant_id))?.sealed ? 'unreachable' : 'dead'
  }

  async function end(grant: GrantRecord, reason: string): Promise<void> {
    if (!(await atproto.endGrant(grant.grant_id)) || grant.session_id === null) return
    await tellEnd(grant, grant.session_id, reason)
  }

  async function tellEnd({ did }: GrantRecord, session_id: string, reason: string): Promise<void> {
    const user = await storage.users.findByDid(did)
    if (user) record({ event: 'atproto_grant_ended', user_id: user.user_id, did, session_id, reason })
  }

  async function endLost(sent_before = clock() - REFRESH_LOST_AFTER): Promise<void> {
    for (const grant of await atproto.endLostRefreshes(sent_before)) {
      if (grant.session_id !== null) await tellEnd(grant, grant.session_id, 'lost')
    }
  }

  async function giveBack(grant: GrantRecord): Promise<void> {
    // Nobody waits for it: a provider that is away is told once, and the tokens are forgotten all the same.
    if (grant.sealed !== null) await tellProvider(grant, grant.sealed).catch(failed)
    await atproto.deleteGrant(grant.grant_id)
  }

  async function tellProvider({ grant_id, did }: GrantRecord, sealed: string): Promise<void> {
    await provider.revoke(did, vault.open(sealed, purposeOf(grant_id)))
  }

  /** Grants whose time has come, but for those whose provider could not be asked a while ago. */
  async function due(): Promise<GrantRecord[]> {
    const now = clock()
    for (const [grant_id, until] of resting) if (until <= now) resting.delete(grant_id)
    const found = await atproto.dueForRefresh(now - REFRESH_EVERY, now, AT_ONCE + resting.size)
    return found.filter(({ grant_id }) => !resting.has(grant_id)).slice(0, AT_ONCE)
  }

  function refresh(grant_id: string) {
    const known = underWay.get(grant_id)
    if (known) return known
    const mine = renew(grant_id).finally(() => underWay.delete(grant_id))
    underWay.set(grant_id, mine)
    return mine
  }

  return {
    seal,
    refresh,

    async tend(isStopping) {
      await endLost()
      for (const grant of await atproto.orphanedGrants(clock(), AT_ONCE)) {
        if (isStopping()) return
        await giveBack(grant)
      }
      for (const { grant_id } of await due()) {
        if (isStopping()) return
        if ((await refresh(grant_id)) === 'unreachable') resting.set(grant_id, clock() + REST)
      }
    },

    endInterrupted: () => endLost(clock() + 1),
  }
}

/** What is kept of a grant can be opened as that grant alone. */
function purposeOf(grant_id: string): string {
  return `grant ${grant_id}`
}

/** When a grant must be refreshed at the latest, and when it stops whatever is done; null: never. */
export function endsOf({ kid, granted_at, refreshed_at }: Pick<GrantRecord, 'kid' | 'granted_at' | 'refreshed_at'>) {
  const life = kid === null ? GRANT_LIFE.public : GRANT_LIFE.confidential
  const stops_working_on = life.all === undefined ? null : granted_at + life.all
  const deadline = refreshed_at + life.unrefreshed
  return { refresh_deadline: Math.min(deadline, stops_working_on ?? Infinity), stops_working_on }
}

/** What ends sessions or developer tokens, so that grants may have lost theirs. */
const ENDINGS: ReadonlySet<SecurityEvent['event']> = new Set([
  'sign_out',
  'accounts_signed_out',
  'account_switched',
  'session_revoked',
  'sessions_revoked',
  'developer_token_revoked',
  'password_changed',
  'password_reset',
  'user_disabled',
  'user_deleted',
  'atproto_linked',
  'atproto_unlinked',
  'atproto_grant_upgraded',
])

export function mayOrphanGrants({ event }: SecurityEvent): boolean {
  return ENDINGS.has(event)
}

/** Characters of what a provider may say that it granted: sessions carry it, and each of their requests reads it. */
export const LONGEST_SCOPE = 12_000

/** The scopes of a text with spaces between. */
export function scopesOf(scope: string): string[] {
  return scope.split(' ').filter((one) => one !== '')
}

/** Whether an ATProto session lacks something that the settings require; a dead grant has nothing. */
export function lacksScope({ scope }: SessionRecord, { atproto_scopes }: Pick<Settings, 'atproto_scopes'>): boolean {
  if (scope === null) return false
  const granted = scopesOf(scope)
  return atproto_scopes.some((required) => !granted.includes(required))
}
