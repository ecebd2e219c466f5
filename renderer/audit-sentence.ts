import type { AuditEntry, AuditEvent } from '../api/audit.ts'
import { isAuditEvent } from './audit-events.ts'
import type { Translate } from './composables/use-text.ts'

/** A piece of a sentence; a person stands out. */
export interface SentencePart {
  text: string
  person: boolean
}

/** What people may do to themselves as well as to others reads differently then. */
export const OWN_EVENTS = [
  'device_distrusted',
  'session_revoked',
  'sessions_revoked',
  'login_token_created',
  'login_token_revoked',
  'developer_token_revoked',
  'atproto_linked',
  'atproto_unlinked',
  'user_edited',
  'user_deleted',
] as const satisfies readonly AuditEvent[]

/** They stand for the names until the sentence is taken apart, and in no text. */
const ACTOR = '\u0001'
const TARGET = '\u0002'

type Told = Pick<AuditEntry, 'event' | 'actor_id' | 'actor' | 'target_id' | 'target'>

/** Who did what to whom. Where somebody is not known, or this release does not know the event, its name alone. */
export function sentenceOf(entry: Told, t: Translate): SentencePart[] {
  if (!isAuditEvent(entry.event)) return [{ text: entry.event, person: false }]
  const own = OWN_EVENTS.find((name) => name === entry.event)
  const isOwn = own !== undefined && entry.actor_id !== null && entry.actor_id === entry.target_id
  const text = t(isOwn ? `audit.own.${own}` : `audit.says.${entry.event}`, { actor: ACTOR, target: TARGET })
  const names = new Map([
    [ACTOR, nameOf(entry.actor, entry.actor_id)],
    [TARGET, nameOf(entry.target, entry.target_id)],
  ])
  const pieces = text.split(new RegExp(`([${ACTOR}${TARGET}])`)).filter((piece) => piece !== '')
  if (pieces.some((piece) => names.get(piece) === null))
    return [{ text: t(`audit.events.${entry.event}`), person: false }]
  return pieces.map((piece) => ({ text: names.get(piece) ?? piece, person: names.has(piece) }))
}

function nameOf(name: string | null, id: number | null): string | null {
  return name ?? (id === null ? null : `#${id}`)
}
