import { withHandle } from './handles.ts'
import { type OwnPath, ownPath } from './return-url.ts'

/** The handles that signed in in this browser, the last one first. They are public names, no secrets. */
const KEY = 'latchkey.handles'
const TRIED = 'latchkey.tried'

export function usedHandles(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(kept) ? kept.filter((handle) => typeof handle === 'string') : []
  } catch {
    return []
  }
}

export function rememberHandle(handle: string): void {
  try {
    sessionStorage.removeItem(TRIED)
    localStorage.setItem(KEY, JSON.stringify(withHandle(usedHandles(), handle)))
  } catch {
    // storage may be forbidden: then it is typed anew
  }
}

/** A sign-in that has left for the provider: by which handle, and the page that it was for. */
export interface Tried {
  handle: string
  returnUrl: OwnPath | undefined
}

/** Whoever comes back from the provider without a sign-in mends what he typed, rather than begin anew. Gone with the tab. */
export function noteTried(tried: Tried): void {
  try {
    sessionStorage.setItem(TRIED, JSON.stringify(tried))
  } catch {
    // as above
  }
}

export function lastTried(): Tried {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(TRIED) ?? '{}')
    if (typeof kept === 'object' && kept !== null && 'handle' in kept && typeof kept.handle === 'string')
      return { handle: kept.handle, returnUrl: 'returnUrl' in kept ? ownPath(kept.returnUrl) : undefined }
  } catch {
    // as above
  }
  return { handle: '', returnUrl: undefined }
}
