/** Stands for our own origin while an address is judged; no name that anybody could have. */
const OWN = 'http://own.invalid'

/**
 * Whether people may be sent there: to a path of ours, or to an address of one of these origins. Refused is whatever
 * browsers read in more than one way: `//`, backslashes, white space, control characters, names and passwords.
 */
export function isAllowedRedirect(address: string, origins: readonly string[]): boolean {
  if (/[\s\\\p{C}]/u.test(address)) return false
  if (address.startsWith('/')) return isOwnPath(address)
  if (!URL.canParse(address)) return false
  const { protocol, origin, username, password } = new URL(address)
  if (protocol !== 'https:' && protocol !== 'http:') return false
  return username === '' && password === '' && origins.includes(origin)
}

function isOwnPath(address: string): boolean {
  if (address.startsWith('//') || !URL.canParse(address, OWN)) return false
  const { origin, pathname } = new URL(address, OWN)
  return origin === OWN && !pathname.startsWith('//')
}
