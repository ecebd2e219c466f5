import type { Context } from 'koa'
import type { Actor } from '../domain/sessions.ts'
import type { Deps } from '../deps.ts'
import type { UserRecord } from '../storage/port.ts'
import { readCookie, sessionCookie } from './cookies.ts'

type Caller = Actor | 'none' | 'unknown' | 'expired'

/** Who sends this request, as `identifyCaller` says; the use of his session is noted. */
export async function authenticate(ctx: Context, deps: Deps): Promise<Caller> {
  const actor = await identifyCaller(ctx, deps)
  if (typeof actor !== 'string') {
    ctx.state['user_id'] = actor.user.user_id
    ctx.state['user'] = actor.user
    if (deps.sessions.needsTouch(actor.session)) noteUse(actor, deps)
  }
  return actor
}

/**
 * Who sends this request, at this moment. `Authorization: Bearer` beats the cookie. `none`: no credential; `unknown`:
 * one that was never ours; `expired`: a session that has ended. Notes nothing, so that asking keeps no session alive.
 */
export async function identifyCaller(ctx: Context, deps: Deps): Promise<Caller> {
  const bearer = bearerOf(ctx)
  const credential = bearer ?? readCookie(ctx, sessionCookie(ctx.state['secure'] === true))
  if (!credential) return 'none'
  const identified = deps.sessions.identify(credential, bearer === undefined ? 'cookie' : 'header')
  return identified instanceof Promise ? await identified : identified
}

/** What somebody may do; the same text for the same rights. */
export function rightsOf({ superuser, permissions }: UserRecord): string {
  return JSON.stringify([superuser, [...permissions].sort()])
}

/** Written beside the request, not before it: losing a last-seen time in a crash harms nobody. */
function noteUse(actor: Actor, deps: Deps): void {
  deps.storage.sessions.touch(actor.session.session_id, deps.clock()).catch((reason: unknown) => {
    deps.log.warn({ err: reason }, 'the last use of a session was not noted')
  })
}

/** What stands after `Bearer`, sound or not; undefined when the header is absent or of another scheme. */
export function bearerOf(ctx: Context): string | undefined {
  return /^Bearer( .*)?$/i.exec(ctx.get('Authorization'))?.[0].slice('Bearer '.length).trim()
}
