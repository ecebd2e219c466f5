import type { RouteLocationNormalized, RouteLocationRaw } from 'vue-router'
import type { Permission } from '../api/permissions.ts'
import { ownPath } from './return-url.ts'

declare module 'vue-router' {
  interface RouteMeta {
    /** Open to people who are not signed in. Absent: closed. */
    public?: true
    /**
     * Open to everybody, also when somebody is signed in or held: a link that signs in is shown with what it would do, and a
     * sign-in that comes back from elsewhere is finished whoever is there.
     */
    anyone?: true
    permission?: Permission
  }
}

export type SessionState = 'unknown' | 'signed-out' | 'gated' | 'signed-in'

/** What admission needs to know about the caller. */
export interface Caller {
  state: SessionState
  setupRequired: boolean
  /** Whether he has it, wherever he is: from elsewhere the page is there, and says so. */
  holds(permission: Permission): boolean
}

type Target = Pick<RouteLocationNormalized, 'name' | 'fullPath' | 'path' | 'query' | 'meta'>

/** Who may see which page, and where everybody else goes instead. `true` means: go ahead. */
export function admit(to: Target, caller: Caller): true | RouteLocationRaw {
  if (caller.setupRequired) return to.name === 'setup' ? true : { name: 'setup', replace: true }
  if (to.meta.anyone) return true
  if (caller.state === 'signed-in') return admitSignedIn(to, caller)
  if (to.name === 'login' || (to.name === 'setup' && caller.state !== 'gated')) return true
  return toLogin(to.fullPath)
}

function admitSignedIn(to: Target, caller: Caller): true | RouteLocationRaw {
  if (to.name === 'login' && to.query['add'] === undefined)
    return ownPath(to.query['returnUrl']) ?? { name: 'overview' }
  const permission = to.meta.permission
  if (permission && !caller.holds(permission))
    return { name: 'not-found', params: { path: to.path.slice(1).split('/') } }
  return true
}

function toLogin(address: string): RouteLocationRaw {
  const returnUrl = ownPath(address)
  return { name: 'login', replace: true, ...(returnUrl && address !== '/' ? { query: { returnUrl } } : {}) }
}
