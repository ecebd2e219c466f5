import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { displayName, email, empty, LANGUAGES, language, permission, text, username } from './schemas.ts'

/** The columns of an import file, by the names that faults use. */
export const IMPORT_FIELDS = [
  'username',
  'email',
  'display_name',
  'permissions',
  'superuser',
  'manager',
  'enabled',
  'lang',
  'password_hash',
] as const
export type ImportField = (typeof IMPORT_FIELDS)[number]

/** Rows that one file may hold. */
export const IMPORT_MAX_ROWS = 200_000
/** Rows of one part; the 64 KiB of a body are the nearer limit as a rule. */
export const IMPORT_MAX_PART_ROWS = 1000
/** Characters of one cell. None that is longer could be sound. */
export const IMPORT_MAX_CELL = 512
/** Faults that are told one by one; `faulty` counts the lines of all of them. */
export const IMPORT_MAX_FAULTS = 500

/**
 * What a cell must be once the white space around it is gone and something is left; an empty cell is an absent one.
 * - `permissions`: names in any case, parted by spaces, commas or semicolons
 * - `superuser`, `enabled`: yes, no, true, false, 1 or 0, in any case
 * - `manager`: the user name of somebody who is there already, or of an earlier line of the file
 * - `password_hash`: whether it can be verified here is judged by the server
 */
export const importCells = {
  username,
  email,
  display_name: displayName,
  permissions: z
    .string()
    .transform((names) => [
      ...new Set(
        names
          .toUpperCase()
          .split(/[\s,;]+/)
          .filter(Boolean),
      ),
    ])
    .pipe(z.array(permission)),
  superuser: z.stringbool({ truthy: ['yes', 'true', '1'], falsy: ['no', 'false', '0'] }),
  manager: username,
  enabled: z.stringbool({ truthy: ['yes', 'true', '1'], falsy: ['no', 'false', '0'] }),
  lang: z
    .string()
    .transform((wanted) => LANGUAGES.find((known) => known.toLowerCase() === wanted.toLowerCase()) ?? wanted)
    .pipe(language),
  password_hash: text().max(IMPORT_MAX_CELL),
} as const satisfies Record<ImportField, z.ZodType>

const cell = z.string().max(IMPORT_MAX_CELL)

/** One line of the file as it was read, its cells unjudged. */
const importRow = z.strictObject({
  /** Where the line begins in the file, the first being 1: what faults name it by. */
  line: z.int().min(1).max(100_000_000),
  username: cell,
  email: cell.optional(),
  display_name: cell.optional(),
  permissions: cell.optional(),
  superuser: cell.optional(),
  manager: cell.optional(),
  enabled: cell.optional(),
  lang: cell.optional(),
  password_hash: cell.optional(),
})
export type ImportRow = z.output<typeof importRow>

/**
 * - `receiving`: takes parts; `reason` is `interrupted` when a check was broken off with its server
 * - `checking`: looks for faults
 * - `checked`: the faults are known; may be run, or checked again
 * - `running`: users are being made, and can be seen already
 * - `done`: all are there for good
 * - `undoing`: what was made is being taken back; `reason` says why
 * - `undone`: nothing of it is left
 */
export const IMPORT_STATES = ['receiving', 'checking', 'checked', 'running', 'done', 'undoing', 'undone'] as const
export type ImportState = (typeof IMPORT_STATES)[number]

/**
 * Why an import was undone.
 * - `cancelled`: by the person
 * - `conflict`: a line that was sound at the check no longer is; it is the last of `faults`
 * - `not_allowed`: the person's session ended meanwhile, or he lost a right
 * - `interrupted`: the server stopped, or could not write
 */
export const IMPORT_REASONS = ['cancelled', 'conflict', 'not_allowed', 'interrupted'] as const
export type ImportReason = (typeof IMPORT_REASONS)[number]

/**
 * - `missing`: empty, and must not be
 * - `invalid`: not of the form that the column wants
 * - `unknown`: names a permission or a person that there is none of
 * - `taken`: belongs to somebody who is there already
 * - `repeated`: stands on an earlier line of the file
 * - `forbidden`: more than this person may give away
 */
const IMPORT_FAULTS = ['missing', 'invalid', 'unknown', 'taken', 'repeated', 'forbidden'] as const

const importFault = z.object({ line: z.int(), field: z.enum(IMPORT_FIELDS), fault: z.enum(IMPORT_FAULTS) })
export type ImportFault = z.output<typeof importFault>

const importStatus = z.object({
  state: z.enum(IMPORT_STATES),
  /** Lines received. */
  rows: z.int(),
  /** Lines worked through in the present phase, be it the check or the run. */
  done: z.int(),
  /** Lines with a fault. */
  faulty: z.int(),
  /** The first faults, in the order of the lines. */
  faults: z.array(importFault),
  /** Users made so far; falls to 0 while undoing. */
  imported: z.int(),
  reason: z.enum(IMPORT_REASONS).nullable(),
})
export type ImportStatus = z.output<typeof importStatus>

const byImport = z.object({ import_id: z.string().regex(/^[0-9a-f]{32}$/) })

/**
 * Users from a file. The page reads the file and sends its lines in parts; the server looks all of them over, and
 * makes all users or none, unless faulty lines are to be skipped. Only who began an import sees it. One that nobody
 * has touched for 24 hours is forgotten.
 */
export const userImports = {
  begin: endpoint({
    method: 'POST',
    path: '/api/v2/users/imports',
    summary: 'Begin an import of users; an earlier one of the caller is forgotten unless it is running',
    auth: 'USER_CONFIG',
    limit: 'none',
    output: z.object({ import_id: z.string() }),
    status: 201,
    errors: ['IMPORT_STATE'],
  }),

  addPart: endpoint({
    method: 'POST',
    path: '/api/v2/users/imports/:import_id/parts',
    summary: 'Send the next lines of the file; the last part may be sent again',
    auth: 'USER_CONFIG',
    limit: 'none',
    params: byImport,
    body: z.strictObject({
      /** 0, 1, 2 and so on. */
      part: z.int().min(0).max(IMPORT_MAX_ROWS),
      rows: z.array(importRow).min(1).max(IMPORT_MAX_PART_ROWS),
    }),
    /** How many lines there are now. */
    output: z.object({ rows: z.int() }),
    errors: ['IMPORT_NOT_FOUND', 'IMPORT_STATE', 'IMPORT_TOO_LARGE'],
  }),

  check: endpoint({
    method: 'POST',
    path: '/api/v2/users/imports/:import_id/check',
    summary: 'Look all lines over, in the background',
    auth: 'USER_CONFIG',
    limit: 'none',
    params: byImport,
    output: importStatus,
    errors: ['IMPORT_NOT_FOUND', 'IMPORT_STATE', 'OVERLOADED'],
  }),

  read: endpoint({
    method: 'GET',
    path: '/api/v2/users/imports/:import_id',
    summary: 'How far an import is, and the faults found',
    auth: 'USER_CONFIG',
    limit: 'none',
    params: byImport,
    output: importStatus,
    errors: ['IMPORT_NOT_FOUND'],
  }),

  run: endpoint({
    method: 'POST',
    path: '/api/v2/users/imports/:import_id/run',
    summary: 'Make the users, in the background: all of them, or all whose lines are sound',
    auth: 'USER_CONFIG',
    limit: 'none',
    params: byImport,
    body: z.strictObject({ skip_faulty: z.boolean() }),
    output: importStatus,
    errors: ['IMPORT_NOT_FOUND', 'IMPORT_STATE', 'IMPORT_FAULTY', 'OVERLOADED'],
  }),

  remove: endpoint({
    method: 'DELETE',
    path: '/api/v2/users/imports/:import_id',
    summary: 'Cancel an import and take back what it made; forget one that is over, keeping its users',
    auth: 'USER_CONFIG',
    limit: 'none',
    params: byImport,
    output: empty,
    errors: ['IMPORT_NOT_FOUND'],
  }),
}
