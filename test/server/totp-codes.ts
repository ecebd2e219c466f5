import { Secret, TOTP } from 'otpauth'
import type { TestServer } from '../helpers/server.ts'
import { dataOf, type Visitor } from '../helpers/visitor.ts'

/** The code an authenticator app shows now, or `steps` of 30 seconds away from now. */
export function codeAt(server: TestServer, secret: string, steps = 0): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: server.clock() + steps * 30_000 })
}

/** Switches the second factor of this visitor on. The step used is over afterwards. */
export async function enrol(
  server: TestServer,
  visitor: Visitor,
): Promise<{ secret: string; recovery_codes: string[] }> {
  const { secret } = dataOf(await visitor.client.auth.totpSetup())
  const confirmed = await visitor.client.auth.totpConfirm({ body: { code: codeAt(server, secret) } })
  server.clock.advance(30_000)
  return { secret, recovery_codes: dataOf(confirmed).recovery_codes }
}
