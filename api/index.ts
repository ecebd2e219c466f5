import { auth } from './auth.ts'
import type { Table } from './endpoint.ts'
import { ownSessions } from './own-sessions.ts'
import { secondFactor } from './second-factor.ts'
import { system } from './system.ts'
import { users } from './users.ts'

/** The one table. A new call is an entry here, a handler of the same name, and a page. */
export const table = { auth: { ...auth, ...secondFactor, ...ownSessions }, users, system } satisfies Table

export type ApiTable = typeof table
