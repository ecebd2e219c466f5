import { randomBytes } from 'node:crypto'
import { v7 } from 'uuid'
import type { Endpoint } from '../../api/endpoint.ts'
import { table } from '../../api/index.ts'
import { hashSecret } from '../../server/domain/one-time-secret.ts'
import type { LoginTokenRecord } from '../../server/storage/port.ts'
import type { TestServer } from '../helpers/server.ts'

/** Every entry of the table with its name, for tests that walk it. */
export const entries: [name: string, entry: Endpoint][] = Object.entries(table).flatMap(([area, calls]) =>
  Object.entries(calls).map(([name, entry]): [string, Endpoint] => [`${area}.${name}`, entry]),
)

/** A path of this entry that can be asked for. */
export function pathOf(entry: Endpoint): string {
  return entry.path.replace(/:(\w+)/g, (_, name) => (name === 'id' ? '1' : 'f'.repeat(32)))
}

/** Puts a login token into storage without asking the guards; answers its secret. */
export async function makeLoginToken(
  server: TestServer,
  login_user_id: number,
  fields: Partial<Pick<LoginTokenRecord, 'user_id' | 'redirect_to' | 'expires_at'>> = {},
): Promise<string> {
  const secret = randomBytes(32).toString('base64url')
  const token = {
    uuid: v7({ msecs: server.clock() }),
    secret_hash: hashSecret(secret),
    user_id: 1,
    login_user_id,
    reason: null,
    redirect_to: null,
    created_at: server.clock(),
    expires_at: server.clock() + 60_000,
    ...fields,
  }
  if (!(await server.storage.loginTokens.create(token, 1000))) throw new Error('There is no such person')
  return secret
}
