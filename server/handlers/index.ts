import type { ApiTable } from '../../api/index.ts'
import { accounts } from './accounts.ts'
import { access } from './access.ts'
import { audit } from './audit.ts'
import { signingIn } from './auth.ts'
import type { Handlers } from '../call.ts'
import { tokensOfDevelopers } from './developer-tokens.ts'
import { grants } from './grants.ts'
import { lan } from './lan.ts'
import { loginTokens } from './login-tokens.ts'
import { ownSessions } from './own-sessions.ts'
import { pairing } from './pairing.ts'
import { secondFactor } from './second-factor.ts'
import { settings } from './settings.ts'
import { system } from './system.ts'
import { userAccess } from './user-access.ts'
import { userImports } from './user-imports.ts'
import { users } from './users.ts'

/** A handler for every entry of the table. */
export const handlers: Handlers<ApiTable> = {
  auth: {
    ...signingIn,
    ...secondFactor,
    ...ownSessions,
    ...accounts,
    ...grants,
    ...pairing,
    ...tokensOfDevelopers,
  },
  userImports,
  users: { ...users, ...userAccess },
  loginTokens,
  access,
  audit,
  settings,
  lan,
  system,
}
