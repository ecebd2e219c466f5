import { type OwnPath, ownPath } from './return-url.ts'

/** Where a sign-in by link leads: a path of ours, a page elsewhere, or nowhere in particular. */
export type RedirectTarget = { own: OwnPath } | { elsewhere: string } | undefined

/** The server has judged the address already; judged again, because a browser would run `javascript:`. */
export function redirectTarget(address: string | undefined): RedirectTarget {
  if (address === undefined) return undefined
  const own = ownPath(address)
  if (own) return { own }
  const url = URL.parse(address)
  return url && /^https?:$/.test(url.protocol) ? { elsewhere: url.href } : undefined
}
