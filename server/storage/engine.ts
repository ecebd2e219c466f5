import type { CompiledQuery, Dialect } from 'kysely'
import type { DatabaseSnapshot, MaybePromise } from './port.ts'

/** What the SQL implementation needs of a database engine beyond Kysely's dialect. */
export interface Engine {
  name: 'sqljs' | 'postgres'
  dialect: Dialect
  /** Runs a query compiled once; synchronous where the engine allows. Sees committed data only. */
  read<Row>(query: CompiledQuery<Row>): MaybePromise<Row[]>
  /** Grows with every committed write, where the engine alone writes the database; else absent. */
  version?: () => number
  /** Changes when committed writes were lost again because the disk refused them, where that can be; else absent. */
  epoch?: () => number
  /** As the port's `snapshot`, where the engine keeps files of its own; else absent. */
  snapshot?: () => Promise<DatabaseSnapshot>
  /** Whether this error says that the database cannot be reached or written. */
  isUnavailable(error: unknown): boolean
  /** Whether this error says that a unique constraint was violated. */
  isConflict(error: unknown): boolean
  close(): Promise<void>
}
