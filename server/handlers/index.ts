import type { ApiTable } from '../../api/index.ts'
import { signingIn } from './auth.ts'
import type { Handlers } from '../call.ts'
import { ownSessions } from './own-sessions.ts'
import { secondFactor } from './second-factor.ts'
import { system } from './system.ts'
import { users } from './users.ts'

/** A handler for every entry of the table. */
export const handlers: Handlers<ApiTable> = {
  auth: { ...signingIn, ...secondFactor, ...ownSessions },
  users,
  system,
}
