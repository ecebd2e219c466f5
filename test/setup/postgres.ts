// One PostgreSQL for the whole run; test files get databases of their own from test/helpers/postgres.ts.
import type { TestProject } from 'vitest/node'
import { findInitdb } from '../../scripts/postgres.mjs'
import { startPostgres } from '../helpers/postgres.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Empty where this machine has no PostgreSQL. */
    postgresUrl: string
  }
}

let running: ReturnType<typeof startPostgres> | undefined
let users = 0

export async function setup(project: TestProject): Promise<void> {
  users += 1
  const initdb = findInitdb()
  if (initdb !== undefined) running ??= startPostgres(initdb)
  project.provide('postgresUrl', (await running)?.url ?? '')
}

export async function teardown(): Promise<void> {
  users -= 1
  if (users > 0) return
  await (await running)?.stop()
}
