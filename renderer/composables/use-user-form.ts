import { reactive } from 'vue'
import type { Permission } from '../../api/permissions.ts'
import type { User } from '../../api/users.ts'
import { isMail, isUsername } from '../field-rules.ts'
import { lengthOf } from '../password-rules.ts'
import { useSession } from '../stores/session.ts'
import { useText } from './use-text.ts'

interface Draft {
  username: string
  displayName: string
  email: string
  permissions: Permission[]
  superuser: boolean
  enabled: boolean
  password: string
  mustChange: boolean
  hours: number
}

const NOBODY: Draft = {
  username: '',
  displayName: '',
  email: '',
  permissions: [],
  superuser: false,
  enabled: true,
  password: '',
  mustChange: true,
  hours: 24,
}

/** What stands in the dialog for a new or an existing user, its checks, and the bodies to send. */
export function useUserForm() {
  const { t } = useText()
  const session = useSession()
  const draft = reactive<Draft>({ ...NOBODY })

  function fill(user: User | undefined): void {
    Object.assign(draft, NOBODY, { permissions: [...(user?.permissions ?? [])] })
    if (!user) return
    const { username, superuser, enabled } = user
    Object.assign(draft, {
      username,
      superuser,
      enabled,
      displayName: user.display_name ?? '',
      email: user.email ?? '',
    })
  }

  const checks = {
    username: () => (isUsername(draft.username) ? undefined : t('checks.username')),
    email: () => (draft.email.trim() === '' || isMail(draft.email) ? undefined : t('checks.email')),
    password: () =>
      draft.password === '' || lengthOf(draft.password) >= 8 ? undefined : t('checks.tooShort', { min: 8 }),
  }

  function created() {
    const end = draft.mustChange ? { expires_hours: draft.hours } : {}
    const password = draft.password
      ? { password: draft.password, require_password_change: draft.mustChange, ...end }
      : {}
    return { ...wanted(), ...password }
  }

  function wanted() {
    return {
      username: draft.username.trim().toLowerCase(),
      display_name: draft.displayName.trim() || null,
      email: draft.email.trim() || null,
      permissions: draft.permissions,
      ...(session.me?.superuser ? { superuser: draft.superuser } : {}),
    }
  }

  /** Only what was changed: what nobody touched can neither be refused nor undo another's edit. */
  function edited(user: User) {
    return changes({ ...wanted(), enabled: draft.enabled }, user)
  }

  return { draft, fill, checks, created, edited }
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
