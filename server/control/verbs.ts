import { z } from 'zod'
import {
  displayName,
  email,
  expiresHours,
  isoDate,
  permission,
  temporaryPassword,
  text,
  userId,
  username,
} from '../../api/schemas.ts'
import { user } from '../../api/users.ts'

/** What the owner of the machine may ask of a house, whether a server runs in it or the command opens it for the moment. */

/** A name as typed: what nobody can be called is simply not found. */
const typedName = text().trim().toLowerCase().min(1).max(64)

const LONGEST_LIFE = 86_400

const login = {
  expires_in: z.int().min(1).max(LONGEST_LIFE),
  reason: text().trim().max(200).optional(),
  redirect_to: text().max(2000).optional(),
}

const check = z.object({ storage: z.enum(['ok', 'unavailable']), set_up: z.boolean() })

export const verbs = {
  'startup-token': {
    input: z.strictObject({}),
    output: z.object({ token: z.string(), url: z.string() }),
  },
  'user-create': {
    input: z.strictObject({
      username,
      email: email.optional(),
      display_name: displayName.optional(),
      superuser: z.boolean().optional(),
      permissions: z.array(permission).max(16).optional(),
      /** The user's own password. Absent: a temporary one is made. */
      password: text().min(1).max(1024).optional(),
      expires_hours: expiresHours.optional(),
    }),
    output: z.object({
      user_id: userId,
      username: z.string(),
      /** The temporary one; told once. */
      password: z.string().optional(),
      expires: isoDate.nullable(),
    }),
  },
  'user-reset': {
    input: z.strictObject({
      username: typedName,
      /** The temporary one; absent: it is made. */
      password: temporaryPassword.optional(),
      expires_hours: expiresHours.optional(),
      revoke_developer_tokens: z.boolean(),
    }),
    output: z.object({
      user_id: userId,
      username: z.string(),
      /** Told once, where it was made here. */
      password: z.string().optional(),
      expires: isoDate.nullable(),
    }),
  },
  'user-list': {
    input: z.strictObject({
      query: text().trim().max(100).optional(),
      state: z.enum(['enabled', 'disabled', 'temporary_password', 'superuser']).optional(),
      limit: z.int().min(1).max(200),
    }),
    output: z.object({ items: z.array(user), total: z.int(), total_exact: z.boolean() }),
  },
  'login-token-create': {
    input: z.strictObject({ username: typedName, ...login }),
    output: z.object({
      uuid: z.string(),
      username: z.string(),
      token: z.string(),
      login_url: z.string(),
      expires_at: isoDate,
    }),
  },
  status: {
    input: z.strictObject({}),
    output: check.extend({
      version: z.string(),
      pid: z.int(),
      url: z.string(),
      port: z.int(),
      engine: z.enum(['embedded', 'postgres']),
      /** What the keys in use are known by, as in the seals of exports. */
      audit_key: z.string(),
      /** When the audit last wrote something down. */
      audited_at: isoDate.nullable(),
      /** Enabled superusers, and how many proven ways in they have in all. */
      superusers: z.int(),
      ways_in: z.int(),
    }),
  },
  /** Answers with a tar archive instead of JSON. */
  backup: {
    input: z.strictObject({ content: z.enum(['everything', 'keys']) }),
    output: undefined,
  },
} as const

export type Verb = keyof typeof verbs
/** Those that answer with JSON. */
export type Asking = Exclude<Verb, 'backup'>
export type InputOf<V extends Verb> = z.output<(typeof verbs)[V]['input']>
export type OutputOf<V extends Asking> = z.output<(typeof verbs)[V]['output']>

export function isVerb(name: string): name is Verb {
  return Object.hasOwn(verbs, name)
}
