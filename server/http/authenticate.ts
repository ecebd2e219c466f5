import type { Context } from 'koa'
import type { Actor } from '../domain/sessions.ts'
import type { Deps } from '../deps.ts'
import { readCookie, sessionCookie } from './cookies.ts'

/**
 * Who sends this request. `Authorization: Bearer` beats the cookie. `none`: no credential; `unknown`: one that was
 * never ours; `expired`: a session that has ended.
 */
export async function authenticate(ctx: Context, deps: Deps): Promise<Actor | 'none' | 'unknown' | 'expired'> {
  const credential = bearerOf(ctx) ?? readCookie(ctx, sessionCookie(ctx.state['secure'] === true))
  if (!credential) return 'none'
  const identified = deps.sessions.identify(credential)
  const actor = identified instanceof Promise ? await identified : identified
  if (typeof actor !== 'string') {
    ctx.state['user_id'] = actor.user.user_id
    if (deps.sessions.needsTouch(actor.session)) noteUse(actor, deps)
  }
  return actor
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
