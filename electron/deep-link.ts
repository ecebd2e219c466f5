export const SCHEME = 'latchkey'

/** What `latchkey://open/…` may name: pages that show something and do nothing. No query, no fragment, so no secret either. */
const PAGES = new Set(['', 'account', 'users', 'login-tokens', 'access', 'audit', 'settings', 'login', 'pair'])

/** The path of our own that a link means; undefined when it means none. Anybody can write such a link. */
export function pathOfDeepLink(link: string): string | undefined {
  const found = /^latchkey:\/\/open(?:\/([a-z-]*))?\/?$/.exec(link)
  if (!found) return undefined
  const page = found[1] ?? ''
  return PAGES.has(page) ? `/${page}` : undefined
}

/** The system hands a link over as an argument among others. */
export function deepLinkIn(argv: readonly string[]): string | undefined {
  return argv.find((argument) => argument.startsWith(`${SCHEME}:`))
}
