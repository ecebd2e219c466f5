import { importCells, type ImportFault, type ImportField, type ImportRow } from '../../api/user-imports.ts'
import type { UserRecord } from '../storage/port.ts'
import type { ImportedUser } from '../storage/port/user-imports.ts'
import { acceptForeignHash } from './foreign-hash.ts'
import { mayAssign } from './guards.ts'

/** What a line says about its user, and what is wrong with it by itself. The user counts only when nothing is. */
export interface ReadRow {
  line: number
  user: ImportedUser
  faults: ImportFault[]
}

/** The schema of a cell, as far as reading needs it. */
interface Cell<T> {
  safeParse(text: string): { success: true; data: T } | { success: false }
}

/** Which fault it is when a cell does not keep to its schema; `invalid` for the others. */
const FAULT_OF: Partial<Record<ImportField, ImportFault['fault']>> = { permissions: 'unknown' }

/**
 * Reads one line, as far as that can be done without looking at other lines or users. What this person may not give
 * away is a fault as well: the rules are those of making a single user.
 */
export function readRow(row: ImportRow, actor: UserRecord): ReadRow {
  const faults: ImportFault[] = []
  const fault = (field: ImportField, what: ImportFault['fault']) => {
    faults.push({ line: row.line, field, fault: what })
    return undefined
  }
  const read = <T>(field: ImportField, cell: Cell<T>): T | undefined => {
    const text = row[field]?.trim() ?? ''
    if (text === '') return undefined
    const parsed = cell.safeParse(text)
    return parsed.success ? parsed.data : fault(field, FAULT_OF[field] ?? 'invalid')
  }
  const username = read('username', importCells.username) ?? ''
  if (row.username.trim() === '') fault('username', 'missing')
  const email = read('email', importCells.email) ?? null
  const display_name = read('display_name', importCells.display_name) ?? null
  const permissions = read('permissions', importCells.permissions) ?? []
  if (!mayAssign(actor, { permissions })) fault('permissions', 'forbidden')
  const superuser = read('superuser', importCells.superuser) ?? false
  if (!mayAssign(actor, { superuser })) fault('superuser', 'forbidden')
  const named = read('manager', importCells.manager)
  const named_id = named === actor.username ? actor.user_id : null
  if (named !== undefined && !mayAssign(actor, { manager_id: named_id })) fault('manager', 'forbidden')
  else if (named !== undefined && named === username) fault('manager', 'invalid')
  // Who is no superuser manages all whom he makes.
  const manager = actor.superuser ? (named ?? null) : actor.user_id
  const enabled = read('enabled', importCells.enabled) ?? true
  const lang = read('lang', importCells.lang) ?? null
  const hash = read('password_hash', importCells.password_hash)
  const password_hash = (hash === undefined ? undefined : acceptForeignHash(hash)) ?? null
  if (hash !== undefined && password_hash === null) fault('password_hash', 'invalid')
  const user = { username, email, display_name, permissions, superuser, manager, enabled, lang, password_hash }
  return { line: row.line, user, faults }
}
