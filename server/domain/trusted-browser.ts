import type { Storage, UserRecord } from '../storage/port.ts'
import { hashSecret } from './one-time-secret.ts'

/** Whether this person, who has a second factor, trusts the browser with this secret in its cookie; its use is noted. */
export async function isTrustedBrowser(
  { storage, clock }: { storage: Storage; clock: () => number },
  { user_id, totp_confirmed_at }: UserRecord,
  device_secret: string | undefined,
): Promise<boolean> {
  if (totp_confirmed_at === null || device_secret === undefined) return false
  return storage.trustedDevices.use(user_id, hashSecret(device_secret), clock())
}
