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

/**
 * Whether what a provider answered may be handed on to this address, under which a browser began; `own` is where browsers of
 * this machine reach us. A browser's `Host` is believed for its name alone: another port, or another address of this machine,
 * may be somebody else's, who would get to see the answer.
 */
export function isOwnAddress(base: string, own: string): boolean {
  const { hostname, port } = new URL(base)
  if (hostname.startsWith('127.') && hostname !== '127.0.0.1') return false
  // Without one it is 80 or 443, which only the machine's owner can give away.
  return port === '' || port === new URL(own).port
}

/** Whether people may be sent to this page of ours once they are signed in. */
export function isOwnPage(path: string): boolean {
  if (!path.startsWith('/') || !isAllowedRedirect(path, [])) return false
  // As browsers read it: `/portal/../api/` is no page.
  const { pathname } = new URL(path, OWN)
  return pathname !== '/api' && !pathname.startsWith('/api/')
}
