/** Handles of ATProto accounts, as people type them. */

const MOST = 5
const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/
const DID = /^did:[a-z]+:[a-z0-9._:%-]+$/i

/** Without `@`, white space and the invisible marks that come along when a handle is copied from elsewhere. */
export function plainHandle(typed: string): string {
  const bare = typed.replaceAll(/[\s\p{Cf}]/gu, '').replace(/^@/, '')
  return DID.test(bare) ? bare : bare.toLowerCase()
}

/** Whether it can be one at all; whether it is one, only the network knows. */
export function isHandle(typed: string): boolean {
  const handle = plainHandle(typed)
  if (handle.length > 253) return false
  const labels = handle.split('.')
  return DID.test(handle) || (labels.length > 1 && labels.every((label) => LABEL.test(label)))
}

/** What the beginning may become: handles that were used here before, then the name at each of the known hosts. */
export function suggestHandles(typed: string, used: readonly string[], hosts: readonly string[]): string[] {
  const begun = plainHandle(typed)
  const before = used.filter((handle) => handle.startsWith(begun))
  const guesses = LABEL.test(begun) ? hosts.map((host) => `${begun}.${host}`) : []
  return [...new Set([...before, ...guesses])].filter((handle) => handle !== begun).slice(0, MOST)
}

/** The hosts of the providers on offer, at which their accounts have their names. */
export function hostsOf(options: readonly { url: string }[]): string[] {
  return options.flatMap(({ url }) => URL.parse(url)?.hostname ?? [])
}

/** With this one at the front, each once. */
export function withHandle(used: readonly string[], handle: string): string[] {
  return [handle, ...used.filter((other) => other !== handle)].slice(0, MOST)
}
