import { PERMISSIONS } from '../api/permissions.ts'
import type { ImportFault, ImportField } from '../api/user-imports.ts'
import type { Translate } from './composables/use-text.ts'
import { LANGUAGES } from './i18n/index.ts'
import type { TextKey } from './i18n/keys.ts'

/** A fault of a line; without a field it is about the line as a whole: it has more cells than there are columns. */
export type LineFault = ImportFault | { line: number; field?: undefined }

const INVALID: Record<ImportField, TextKey> = {
  username: 'transfer.reasons.username',
  email: 'transfer.reasons.email',
  display_name: 'transfer.reasons.displayName',
  permissions: 'transfer.reasons.permissions',
  superuser: 'transfer.reasons.yesOrNo',
  manager: 'transfer.reasons.manager',
  enabled: 'transfer.reasons.yesOrNo',
  lang: 'transfer.reasons.language',
  password_hash: 'transfer.reasons.hash',
}

export function faultText(fault: LineFault, t: Translate): string {
  if (fault.field === undefined) return t('transfer.reasons.cells')
  const names = (fault.field === 'lang' ? LANGUAGES : PERMISSIONS).join(', ')
  if (fault.fault === 'unknown' && fault.field === 'manager') return t('transfer.reasons.unknownManager')
  if (fault.fault === 'invalid' || fault.fault === 'unknown') return t(INVALID[fault.field], { names })
  return t(`transfer.reasons.${fault.fault}`)
}

/** What the server found and what was seen while reading, by line. */
export function mergedFaults(found: readonly ImportFault[], damaged: readonly number[]): LineFault[] {
  return [...found, ...damaged.map((line) => ({ line }))].toSorted((a, b) => a.line - b.line)
}
