/** What an administrator may be given; a superuser has all of them. */
export const PERMISSIONS = ['USER_CONFIG', 'LOGIN_TOKENS', 'AUDIT_LOG', 'SETTINGS'] as const
export type Permission = (typeof PERMISSIONS)[number]

export function isPermission(value: string): value is Permission {
  return PERMISSIONS.some((permission) => permission === value)
}
