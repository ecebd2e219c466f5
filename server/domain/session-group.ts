import type { Storage, UserRecord } from '../storage/port.ts'
import { MAX_GROUP } from './lifetimes.ts'
import type { Random } from './one-time-secret.ts'
import type { Actor, IssuedSession, Sessions } from './sessions.ts'

/** The accounts signed in together in one browser. */
interface GroupDeps {
  storage: Storage
  sessions: Sessions
  clock: () => number
}

export interface LinkedAccount extends Pick<UserRecord, 'user_id' | 'username' | 'did' | 'handle' | 'avatar_url'> {
  current: boolean
  needs_sign_in: boolean
}

/** The accounts of this browser's group, the current one included; none until there is a group. */
export async function linkedAccountsOf(deps: GroupDeps, actor: Actor): Promise<LinkedAccount[]> {
  const members = await membersOf(deps, actor)
  return members.map(({ session, user }) => ({
    user_id: user.user_id,
    username: user.username,
    did: user.did,
    handle: user.handle,
    avatar_url: user.avatar_url,
    current: session.session_id === actor.session.session_id,
    needs_sign_in: session.scope === '',
  }))
}

/**
 * Hands this browser over to another account of its group, named by user id or DID; that session's secret rotates.
 * Undefined when it is not in the group, or the current one.
 */
export async function switchAccount(
  deps: GroupDeps,
  actor: Actor,
  target: string,
): Promise<{ user: UserRecord; issued: IssuedSession } | undefined> {
  const members = await membersOf(deps, actor)
  const found = members.find(
    ({ user }) => String(user.user_id) === target || (user.did !== null && user.did === target),
  )
  if (!found || found.session.session_id === actor.session.session_id) return undefined
  const issued = await deps.sessions.rotate(found.session)
  return issued && { user: found.user, issued }
}

/**
 * The group that a further account of this browser joins, and the sessions of the same account in it that make room. `full`:
 * as many accounts as there may be.
 */
export async function roomInGroup(
  { storage, sessions, clock, random }: GroupDeps & { random: Random },
  user: UserRecord,
  { session }: Actor,
): Promise<{ group_id: string; ends: string[] } | 'full'> {
  if (session.group_id === null) return { group_id: random(16).toString('hex'), ends: [] }
  const members = await storage.sessions.listGroup(session.group_id, clock(), sessions.idleSince())
  const same = members.filter((member) => member.user_id === user.user_id)
  if (members.length - same.length >= MAX_GROUP) return 'full'
  return { group_id: session.group_id, ends: same.map(({ session_id }) => session_id) }
}

/** The live sessions of this browser's group whose users may come in, and whose they are. */
export async function membersOf({ storage, sessions, clock }: GroupDeps, { session }: Actor): Promise<Actor[]> {
  if (session.group_id === null) return []
  const rows = await storage.sessions.listGroup(session.group_id, clock(), sessions.idleSince())
  const members = await Promise.all(
    rows.map(async (row) => {
      const user = await storage.users.find(row.user_id)
      return user?.enabled ? [{ session: row, user }] : []
    }),
  )
  return members.flat()
}

/** Whether this user's account is signed in, by now, in the browser in which this session of another began something. */
export async function isBeside(
  { sessions }: Pick<Storage, 'sessions'>,
  begun: { session_id: string | null; user_id: number | null },
  user_id: number,
  now: number,
): Promise<boolean> {
  if (begun.user_id === user_id) return true
  const live = await sessions.listLive(begun.user_id ?? 0, now, 0)
  const group_id = live.find(({ session_id }) => session_id === begun.session_id)?.group_id ?? null
  if (group_id === null) return false
  return (await sessions.listGroup(group_id, now, 0)).some((member) => member.user_id === user_id)
}
