declare const own: unique symbol

/** A path inside this page, proved by `isOwnPath`: the only thing a sign-in may go on to. */
export type OwnPath = string & { readonly [own]: true }

const LONGEST = 2000
/** Control characters, white space and backslashes: browsers drop or bend them, so `/\evil` could leave the site. */
const BENT = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufeff\\]/

export function isOwnPath(value: unknown): value is OwnPath {
  if (typeof value !== 'string' || value.length > LONGEST) return false
  if (!value.startsWith('/') || value.startsWith('//') || BENT.test(value)) return false
  const path = pathOf(value)
  return path !== undefined && !/^\/(api|login|setup)(\/|$)/.test(path)
}

export function ownPath(value: unknown): OwnPath | undefined {
  return isOwnPath(value) ? value : undefined
}

function pathOf(value: string): string | undefined {
  const home = 'http://own.invalid'
  const url = URL.parse(value, home)
  if (url?.origin !== home) return undefined
  return url.pathname.startsWith('//') ? undefined : url.pathname
}
