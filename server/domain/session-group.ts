import type { Storage, UserRecord } from '../storage/port.ts'
import type { Actor, IssuedSession, Sessions } from './sessions.ts'

/** The accounts signed in together in one browser. */
interface GroupDeps {
  storage: Storage
  sessions: Sessions
  clock: () => number
}

export interface LinkedAccount extends Pick<UserRecord, 'user_id' | 'username' | 'did' | 'handle' | 'avatar_url'> {
  current: boolean
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

async function membersOf({ storage, sessions, clock }: GroupDeps, { session }: Actor): Promise<Actor[]> {
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
