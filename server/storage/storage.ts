import { Kysely, sql } from 'kysely'
import { createAccessStore } from './access.ts'
import { createAtprotoStore } from './atproto.ts'
import { createAuditStore } from './audit.ts'
import { createDeveloperTokenStore } from './developer-tokens.ts'
import { endAfterRestore, readSealed } from './after-restore.ts'
import type { Engine } from './engine.ts'
import { keepKeyCheck } from './key-check.ts'
import { createLimitStore } from './limits.ts'
import { createLoginTokenStore } from './login-tokens.ts'
import { migrate } from './migrations/index.ts'
import type { Storage } from './port.ts'
import { createRecoveryCodeStore } from './recovery-codes.ts'
import { createSessionStore } from './sessions.ts'
import { createSettingStore } from './settings.ts'
import type { Tables } from './tables.ts'
import { createTrustedDeviceStore } from './trusted-devices.ts'
import { createUserImportStore } from './user-imports.ts'
import { createUserStore } from './users.ts'

/** The port over an open engine, its tables brought up to date. Closes the engine when that fails. */
export async function createStorage(engine: Engine): Promise<Storage> {
  const db = new Kysely<Tables>({ dialect: engine.dialect })
  const close = async () => {
    await db.destroy()
    await engine.close()
  }
  try {
    await migrate(db, engine.name)
  } catch (error) {
    await close()
    throw error
  }
  return {
    users: createUserStore(db, engine),
    sessions: createSessionStore(db, engine),
    recoveryCodes: createRecoveryCodeStore(db),
    trustedDevices: createTrustedDeviceStore(db),
    loginTokens: createLoginTokenStore(db, engine),
    access: createAccessStore(db, engine),
    audit: createAuditStore(db, engine),
    limits: createLimitStore(db),
    settings: createSettingStore(db),
    userImports: createUserImportStore(db, engine),
    atproto: createAtprotoStore(db, engine),
    developerTokens: createDeveloperTokenStore(db),
    shared: engine.name === 'postgres',
    ...(engine.snapshot ? { snapshot: engine.snapshot } : {}),
    afterRestore: (at, kept) => endAfterRestore(db, at, kept),
    sealed: (limit) => readSealed(db, limit),
    keyCheck: (fresh) => keepKeyCheck(db, fresh),
    isUnavailable: (error) => engine.isUnavailable(error),
    async ping() {
      await sql`select 1`.execute(db)
    },
    close,
  }
}
