import type { Permission } from '../../../api/permissions.ts'
import type { Language } from '../../../api/schemas.ts'
import type { ImportFault, ImportReason, ImportState } from '../../../api/user-imports.ts'

export interface UserImportRecord {
  import_id: string
  /** The user who began it. */
  begun_by: number
  state: ImportState
  /** Lines received. */
  rows: number
  /** The number of the next part. */
  next_part: number
  /** Lines worked through in the present phase. */
  done: number
  /** Lines with a fault. */
  faulty: number
  /** The first of the faults. */
  faults: ImportFault[]
  /** Users made. */
  imported: number
  reason: ImportReason | null
}

/** Lines as they were received, as JSON, and those of them that the last check found faulty, by their place. */
export interface ImportPart {
  rows: string
  faulty: number[]
}

export interface NewImportPart {
  part: number
  /** JSON of the lines. */
  rows: string
  /** How many lines. */
  count: number
}

/** What a whole import may hold: lines, and characters of their JSON. */
export interface ImportLimits {
  rows: number
  characters: number
}

/** How far a check or a run is, and what it found. */
export interface ImportProgress {
  done: number
  faulty: number
  /** Absent: as before. */
  faults?: ImportFault[] | undefined
}

export interface ImportedUser {
  username: string
  email: string | null
  display_name: string | null
  superuser: boolean
  permissions: Permission[]
  /** His id, or the name of somebody who is there, or who comes earlier in this import. */
  manager: number | string | null
  enabled: boolean
  lang: Language | null
  password_hash: string | null
}

export interface ImportBatch extends ImportProgress {
  /** The batch is for this many lines worked through before it: one that was stored already is not stored again. */
  after: number
  users: readonly ImportedUser[]
  /** This part is worked through with the batch; its lines are forgotten. */
  finished: number | undefined
  /** It is the last batch. The import is done with it, and these users of it become superusers. */
  last?: { superusers: readonly string[] } | undefined
}

/** Why a user of a batch cannot be made, by his place in it. */
export interface ImportConflict {
  index: number
  field: 'username' | 'email' | 'manager'
  fault: 'taken' | 'unknown'
}

/** Who works on an import: one server process. Its heartbeat tells the others that it lives. */
export interface Runner {
  runner: string
  at: number
}

/**
 * Imports of users. Their lines are kept until they are worked through. A server that works on an import is its
 * runner; every step of the work names the state and the runner that it expects, so that a step of a server that was
 * given up, or of an import that was cancelled, changes nothing.
 */
export interface UserImportStore {
  /**
   * Begins an import. Earlier ones of the same person are forgotten. False, and nothing changed: one of them is
   * running or being undone.
   */
  begin(import_id: string, begun_by: number, at: number): Promise<boolean>
  find(import_id: string): Promise<UserImportRecord | undefined>
  /**
   * Stores the next part and answers how many lines there are then; a repetition of the last one answers the same.
   * `state`: takes no parts, or not this one; `limits`: would be too large. Atomic.
   */
  addPart(
    import_id: string,
    part: NewImportPart,
    limits: ImportLimits,
    at: number,
  ): Promise<number | 'state' | 'limits'>
  /** A part that was not worked through yet. */
  part(import_id: string, part: number): Promise<ImportPart | undefined>
  /** Which of these names and mail addresses belong to somebody. */
  taken(names: { usernames: readonly string[]; emails: readonly string[] }): Promise<{
    usernames: Set<string>
    emails: Set<string>
  }>

  /** From `receiving` or `checked` to `checking`. False: in another state, or it has no lines. Atomic. */
  beginCheck(import_id: string, by: Runner): Promise<boolean>
  /** Stores what was found in one part. False: the check was broken off. Atomic. */
  noteChecked(
    import_id: string,
    by: Runner,
    part: { part: number; faulty: readonly number[] },
    progress: ImportProgress,
  ): Promise<boolean>
  /** From `checking` to `checked`. False: the check was broken off. Atomic. */
  endCheck(import_id: string, by: Runner): Promise<boolean>

  /**
   * From `checked` to `running`. `state`: in another state; `faulty`: it has faulty lines, which are not to be
   * skipped. Atomic: of any number of tries one gets `begun`.
   */
  beginRun(import_id: string, by: Runner, skip_faulty: boolean): Promise<'begun' | 'state' | 'faulty'>
  /**
   * Makes users. Atomic: all of them or, answering why, none. `gone`: the run was broken off, or the batch is there
   * already. With the last batch the import is done in the same step: a cancellation comes before it or too late.
   */
  insert(import_id: string, by: Runner, batch: ImportBatch): Promise<'inserted' | 'gone' | ImportConflict[]>
  /** From `running` to `undoing`; no user is made afterwards. False: not running. Atomic. */
  beginUndo(import_id: string, by: Runner, reason: ImportReason, found?: ImportProgress): Promise<boolean>
  /**
   * Takes back up to `limit` users of an import that is `undoing`. `undone`: nothing is left, answered to exactly one
   * of any number of callers; `gone`: it is not being undone (any more). Atomic.
   */
  undoSome(import_id: string, by: Runner, limit: number): Promise<'more' | 'undone' | 'gone'>

  /** Notes that this runner works on these imports, as far as they are his. */
  beat(import_ids: readonly string[], by: Runner): Promise<void>
  /**
   * Gives up every import whose runner has not been heard since `before`: a check goes back to `receiving`, a run
   * becomes `undoing`. Answers those to be undone; each is answered to one caller, which is their runner from now on.
   */
  takeOver(by: Runner, before: number): Promise<{ import_id: string; begun_by: number }[]>
  /** Lets go of everything of this runner, so that it can be taken over at once. */
  release(runner: string): Promise<void>
  /** Forgets an import and its lines; never its users. False: it is running or being undone, or there is none. */
  forget(import_id: string): Promise<boolean>
  /** Forgets imports that were not touched since, unless running or being undone. */
  sweep(before: number): Promise<void>
}
