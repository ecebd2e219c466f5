import {
  mdiAccountCheckOutline,
  mdiAccountOffOutline,
  mdiDevices,
  mdiFormTextboxPassword,
  mdiLinkVariantPlus,
  mdiLockReset,
  mdiPencilOutline,
  mdiShieldOffOutline,
  mdiTrashCanOutline,
} from '@mdi/js'
import type { User } from '../../api/users.ts'
import type { TextKey } from '../i18n/keys.ts'
import { useReach } from './use-reach.ts'

export type UserAct =
  | 'edit'
  | 'reset'
  | 'loginToken'
  | 'ownPassword'
  | 'ownSessions'
  | 'sessions'
  | 'twoStepOff'
  | 'disable'
  | 'enable'
  | 'delete'

interface Entry {
  act: UserAct
  key: TextKey
  icon: string
  danger?: true
}

/** Which acts the caller has for a user. His own password, sessions and second step are his account page's business. */
export function useUserActs() {
  const { isOwn, reaches, mayMakeLoginTokens } = useReach()

  function actsFor(user: User): Entry[] {
    const edit: Entry = { act: 'edit', key: 'users.edit', icon: mdiPencilOutline }
    const loginToken: Entry = { act: 'loginToken', key: 'loginTokens.forOne', icon: mdiLinkVariantPlus }
    const tokens = mayMakeLoginTokens.value && user.enabled ? [loginToken] : []
    if (isOwn(user)) {
      return [
        edit,
        ...tokens,
        { act: 'ownPassword', key: 'users.ownPassword', icon: mdiFormTextboxPassword },
        { act: 'ownSessions', key: 'users.ownSessions', icon: mdiDevices },
      ]
    }
    if (!reaches(user)) return []
    const twoStepOff: Entry = { act: 'twoStepOff', key: 'users.twoStepOff', icon: mdiShieldOffOutline }
    return [
      edit,
      { act: 'reset', key: 'users.reset', icon: mdiLockReset },
      ...tokens,
      { act: 'sessions', key: 'users.sessions', icon: mdiDevices },
      ...(user.totp_enabled ? [twoStepOff] : []),
      user.enabled
        ? { act: 'disable', key: 'users.disable', icon: mdiAccountOffOutline }
        : { act: 'enable', key: 'users.enable', icon: mdiAccountCheckOutline },
      { act: 'delete', key: 'users.delete', icon: mdiTrashCanOutline, danger: true },
    ]
  }

  return { actsFor }
}
