import { type RawBuilder, sql } from 'kysely'
import type { Engine } from './engine.ts'

/**
 * Strings as a subquery of one column, passed as one parameter: the text of the statement is the same for any number of
 * them, so that it is prepared once.
 */
export function listed({ name }: Engine, values: readonly string[]): RawBuilder<string> {
  const json = JSON.stringify(values)
  return name === 'postgres'
    ? sql`(select value from json_array_elements_text(cast(${json} as json)))`
    : sql`(select value from json_each(${json}))`
}
