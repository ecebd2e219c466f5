import type { NewUser, Storage, UserRecord } from '../storage/port.ts'
import { hashSecret } from './one-time-secret.ts'
import type { Identity } from './provider.ts'

/** Names tried with a number behind, before one is drawn from the identifier. */
const TRIES = 20

/** Makes a user without any right of an ATProto account that nobody knows yet. Of two at once, both get the same user. */
export async function inviteUser(storage: Storage, { did, handle }: Identity, now: number): Promise<UserRecord> {
  for (const username of namesFor(did, handle)) {
    const made = await storage.users.create(newcomer(username, did, handle, now))
    if (made === 'DID_TAKEN' || typeof made !== 'string') {
      const user = await storage.users.findByDid(did)
      if (user) return user
    }
  }
  throw new Error('There is no free user name for a newcomer')
}

function newcomer(username: string, did: string, handle: string | null, now: number): NewUser {
  return {
    username,
    email: null,
    display_name: null,
    superuser: false,
    permissions: [],
    manager_id: null,
    enabled: true,
    lang: null,
    password_hash: null,
    require_password_change: false,
    password_expires: null,
    did,
    handle,
    avatar_url: null,
    created_at: now,
  }
}

/** User names in the order in which they are tried: the first part of the handle, then with numbers, then from the identifier, then from its hash. */
function namesFor(did: string, handle: string | null): string[] {
  const first =
    (handle ?? '')
      .split('.')[0]
      ?.toLowerCase()
      .replaceAll(/[^a-z0-9_-]/g, '')
      .slice(0, 28) ?? ''
  const identifier = did
    .toLowerCase()
    .replace(/^did:\w+:/, '')
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(0, 24)
  const own = first.length >= 3 ? [first, ...Array.from({ length: TRIES }, (_, index) => `${first}-${index + 2}`)] : []
  // Identifiers can be alike in what fits into a name; what is drawn from all of one cannot be taken by another.
  return [...own, ...(identifier.length > 0 ? [`at-${identifier}`] : []), `at-${hashSecret(did).slice(0, 24)}`]
}
