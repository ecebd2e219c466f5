/** Forms of fields as the interface takes them, to be told while typing; the server's word is final. */

export function isUsername(text: string): boolean {
  return /^[a-z0-9_.-]{3,32}$/.test(text.trim().toLowerCase())
}

export function isMail(text: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim()) && text.trim().length <= 254
}
