import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { AUTH_SOURCES, page, FACTORS, isoDate, pageQuery, person, queryUserId, text, userId } from './schemas.ts'

/** Everything that can let somebody in. */
export const ACCESS_KINDS = [
  'session',
  'login_token',
  'temporary_password',
  'developer_token',
  'trusted_device',
  'startup_token',
] as const
export type AccessKind = (typeof ACCESS_KINDS)[number]
const kind = z.enum(ACCESS_KINDS)

/** One thing that can let somebody in now. */
const item = z.object({
  kind,
  /** Names it among those of its kind. */
  id: z.string(),
  /** Whom it lets in. */
  user: person,
  /** Who gave it to him; null: he himself, or it is not known. */
  made_by: person.nullable(),
  /** Why, in the words of whoever made it. */
  reason: z.string().nullable(),
  /** How a session began. */
  auth_source: z.enum(AUTH_SOURCES).nullable(),
  amr: z.array(z.enum(FACTORS)),
  /** Null: not known. */
  created_at: isoDate.nullable(),
  last_used_at: isoDate.nullable(),
  /** Null: no end. */
  expires_at: isoDate.nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  /** The session that asks. */
  current: z.boolean(),
})
export type Access = z.output<typeof item>

/** Each kind is counted so far: a list that finds more says 1,001 of it. */
export const MOST_COUNTED = 1_000

/** As many are revoked in one call at most. */
export const MOST_REVOKED = 200

/** The board of everything that can let somebody in. */
export const access = {
  list: endpoint({
    method: 'GET',
    path: '/api/access',
    summary: 'Everything that can let somebody in now, the newest first; of the people whom the caller may administer',
    auth: 'USER_CONFIG',
    limit: 'none',
    query: z.strictObject({
      kind: kind.optional(),
      /** Whom it lets in. */
      user_id: queryUserId.optional(),
      /** Who gave it to him. */
      made_by: queryUserId.optional(),
      /** Only what was neither made nor used since then. */
      unused_since: isoDate.optional(),
      ...pageQuery,
    }),
    output: page(item).extend({
      /** How many of each kind the filter finds, whatever kind it names; 1,001 means: more than 1,000. */
      counts: z.record(kind, z.int()),
    }),
    errors: [],
  }),

  revoke: endpoint({
    method: 'POST',
    path: '/api/access/revoke',
    summary: 'Revoke the named, or the next 200 that a filter finds; never the session that asks',
    auth: 'USER_CONFIG',
    limit: 'none',
    body: z
      .strictObject({
        items: z
          .array(z.strictObject({ kind, id: text().max(64) }))
          .min(1)
          .max(MOST_REVOKED)
          .optional(),
        filter: z
          .strictObject({
            kind: kind.optional(),
            user_id: userId.optional(),
            made_by: userId.optional(),
            unused_since: isoDate.optional(),
          })
          .optional(),
        /** With a filter: what was made later stays, because nobody has seen it. */
        made_before: isoDate.optional(),
      })
      .refine(({ items, filter }) => (items === undefined) !== (filter === undefined), 'either items or filter')
      .refine(
        ({ filter, made_before }) => (filter === undefined) === (made_before === undefined),
        'filter and made_before',
      ),
    output: z.object({
      revoked: z.int(),
      /** Whether the filter finds more; ask again. */
      more: z.boolean(),
    }),
    errors: ['LAST_WAY_IN'],
  }),
}
