/** What can be told about a password while it is typed. The server's word is final; this only saves a round trip. */

export const LONGEST_PASSWORD = 128

/** Of a temporary one, which its owner does not choose and does not keep. */
export const SHORTEST_TEMPORARY = 8

export function lengthOf(password: string): number {
  return [...password].length
}

const CLASSES = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u]

export const STRENGTHS = [0, 1, 2, 3, 4] as const
export type Strength = (typeof STRENGTHS)[number]

/** A rough estimate from length, variety and repetition; a hint, never a verdict. */
export function strengthOf(password: string): Strength {
  const varied = new Set(password.toLowerCase()).size
  const classes = CLASSES.filter((pattern) => pattern.test(password)).length
  const runs = password.match(/(.)\1{2,}|0123|1234|2345|3456|4567|5678|6789|abcd|qwer|asdf/giu)?.length ?? 0
  const bits = Math.min(lengthOf(password), varied * 2) * (2.2 + classes * 0.55) - runs * 10
  if (bits < 22) return 0
  if (bits < 34) return 1
  if (bits < 46) return 2
  return bits < 62 ? 3 : 4
}
