import { auditVerify } from './audit-verify.ts'
import { backup } from './backup.ts'
import type { Command } from './command.ts'
import { doctor } from './doctor.ts'
import { loginTokenCreate } from './login-token.ts'
import { restore } from './restore.ts'
import { serve } from './serve.ts'
import { startupToken } from './startup-token.ts'
import { userCreate, userList, userReset } from './user.ts'

/** All commands. What they are called, take and do stands with each; help and tests walk this table. */
export const commands: readonly Command[] = [
  serve,
  startupToken,
  userCreate,
  userReset,
  userList,
  loginTokenCreate,
  backup,
  restore,
  auditVerify,
  doctor,
]
