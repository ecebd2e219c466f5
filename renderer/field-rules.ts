/** Forms of fields as the interface takes them, to be told while typing; the server's word is final. */

export function isUsername(text: string): boolean {
  return /^[a-z0-9_.-]{3,32}$/.test(text.trim().toLowerCase())
}

export function isMail(text: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim()) && text.trim().length <= 254
}

/** A DID of a kind that ATProto accounts have. */
export function isDid(text: string): boolean {
  return /^did:(plc:[a-z2-7]{24}|web:[a-z0-9.-]{1,253}(%3A\d{1,5})?)$/.test(text.trim())
}
