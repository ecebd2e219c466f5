import { accounts } from './accounts.ts'
import { access } from './access.ts'
import { audit } from './audit.ts'
import { auth } from './auth.ts'
import { developerTokens } from './developer-tokens.ts'
import type { Table } from './endpoint.ts'
import { grants } from './grants.ts'
import { lan } from './lan.ts'
import { loginTokens } from './login-tokens.ts'
import { ownSessions } from './own-sessions.ts'
import { pairing } from './pairing.ts'
import { secondFactor } from './second-factor.ts'
import { settingCalls } from './settings.ts'
import { system } from './system.ts'
import { userAccess } from './user-access.ts'
import { userImports } from './user-imports.ts'
import { users } from './users.ts'

/** The one table. A new call is an entry here, a handler of the same name, and a page. */
export const table = {
  auth: { ...auth, ...secondFactor, ...ownSessions, ...accounts, ...grants, ...pairing, ...developerTokens },
  userImports,
  users: { ...userAccess, ...users },
  loginTokens,
  access,
  audit,
  settings: settingCalls,
  lan,
  system,
} satisfies Table

export type ApiTable = typeof table
