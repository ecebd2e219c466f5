import { reactive } from 'vue'
import type { Permission } from '../../api/permissions.ts'
import type { User } from '../../api/users.ts'
import { isDid, isMail, isUsername } from '../field-rules.ts'
import { isHandle } from '../handles.ts'
import { useSession } from '../stores/session.ts'
import { useTemporaryPassword } from './use-temporary-password.ts'
import { useText } from './use-text.ts'

interface Draft {
  username: string
  displayName: string
  email: string
  permissions: Permission[]
  superuser: boolean
  enabled: boolean
  managerId: number | null
  /** Of the ATProto account; a handle until it is looked up. */
  did: string
}

const NOBODY: Draft = {
  username: '',
  displayName: '',
  email: '',
  permissions: [],
  superuser: false,
  enabled: true,
  managerId: null,
  did: '',
}

/** What stands in the dialog for a new or an existing user, its checks, and the bodies to send. */
export function useUserForm() {
  const { t } = useText()
  const session = useSession()
  const draft = reactive<Draft>({ ...NOBODY })
  const temporary = useTemporaryPassword()

  function fill(user: User | undefined): void {
    Object.assign(draft, NOBODY, { permissions: [...(user?.permissions ?? [])] })
    if (!user) return void temporary.begin()
    const { username, superuser, enabled } = user
    Object.assign(draft, {
      username,
      superuser,
      enabled,
      displayName: user.display_name ?? '',
      email: user.email ?? '',
      managerId: user.manager_id,
      did: user.did ?? '',
    })
  }

  const checks = {
    username: () => (isUsername(draft.username) ? undefined : t('checks.username')),
    email: () => (draft.email.trim() === '' || isMail(draft.email) ? undefined : t('checks.email')),
    did: () => (draft.did.trim() === '' || isDid(draft.did) ? undefined : t(noDid(draft.did))),
    password: () => (temporary.chosen.password === '' ? undefined : temporary.fault()),
  }

  function created() {
    return { ...wanted(), ...(temporary.chosen.password ? temporary.body() : {}) }
  }

  function wanted() {
    return {
      username: draft.username.trim().toLowerCase(),
      display_name: draft.displayName.trim() || null,
      email: draft.email.trim() || null,
      permissions: draft.permissions,
      did: draft.did.trim() || null,
      ...(session.me?.superuser ? { superuser: draft.superuser, manager_id: draft.managerId } : {}),
    }
  }

  /** Only what was changed: what nobody touched can neither be refused nor undo another's edit. */
  function edited(user: User) {
    return changes({ ...wanted(), enabled: draft.enabled }, user)
  }

  return { draft, temporary, fill, checks, created, edited }
}

function noDid(typed: string): 'users.didFirst' | 'users.didFault' {
  return isHandle(typed) && !typed.trim().startsWith('did:') ? 'users.didFirst' : 'users.didFault'
}

function changes<T extends object>(wanted: T, user: User): Partial<T> {
  const before: Record<string, unknown> = { ...user }
  const result: Partial<T> = { ...wanted }
  for (const field of keysOf(wanted)) {
    if (JSON.stringify(wanted[field]) === JSON.stringify(before[String(field)])) delete result[field]
  }
  return result
}

function keysOf<T extends object>(value: T): (keyof T)[] {
  const keys: (keyof T)[] = []
  for (const key in value) keys.push(key)
  return keys
}
