/** The code of a pairing: eight characters that cannot be mixed up. */

/** As typed, in any case, with or without spaces and dashes. */
export function plainCode(typed: string): string {
  return typed.toUpperCase().replaceAll(/[\s\p{Pd}]/gu, '')
}

export function isPairingCode(typed: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{8}$/.test(plainCode(typed))
}

/** `ABCD-2345`: as people read it to each other. */
export function dashedCode(typed: string): string {
  const code = plainCode(typed)
  return code.length > 4 ? `${code.slice(0, 4)}-${code.slice(4)}` : code
}
