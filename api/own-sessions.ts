import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { AUTH_SOURCES, empty, FACTORS, isoDate, SESSION_KINDS, text } from './schemas.ts'

/** A session as lists show it: never its secret. */
export const session = z.object({
  session_id: z.string(),
  kind: z.enum(SESSION_KINDS),
  auth_source: z.enum(AUTH_SOURCES),
  amr: z.array(z.enum(FACTORS)),
  created_at: isoDate,
  last_seen_at: isoDate,
  expires_at: isoDate,
  ip: z.string(),
  user_agent: z.string(),
  current: z.boolean(),
})

const trustedDevice = z.object({
  device_id: z.string(),
  created_at: isoDate,
  last_used_at: isoDate,
  expires_at: isoDate,
  ip: z.string(),
  user_agent: z.string(),
})

/** One's own sessions and trusted browsers; part of the area `auth`. */
export const ownSessions = {
  sessions: endpoint({
    method: 'GET',
    path: '/api/auth/sessions',
    summary: 'Own live sessions, the newest use first',
    auth: 'browser',
    limit: 'none',
    output: z.object({ sessions: z.array(session) }),
    errors: [],
  }),

  revokeSession: endpoint({
    method: 'DELETE',
    path: '/api/auth/sessions/:session_id',
    summary: 'End one of the own sessions',
    auth: 'browser',
    limit: 'none',
    params: z.object({ session_id: text().max(64) }),
    output: empty,
    errors: ['SESSION_NOT_FOUND'],
  }),

  revokeOtherSessions: endpoint({
    method: 'POST',
    path: '/api/auth/sessions/revoke-others',
    summary: 'End every own session but this one',
    auth: 'browser',
    limit: 'none',
    output: z.object({ revoked: z.int() }),
    errors: [],
  }),

  trustedDevices: endpoint({
    method: 'GET',
    path: '/api/auth/trusted-devices',
    summary: 'Browsers that are not asked for a code',
    auth: 'browser',
    limit: 'none',
    output: z.object({ devices: z.array(trustedDevice) }),
    errors: [],
  }),

  revokeTrustedDevice: endpoint({
    method: 'DELETE',
    path: '/api/auth/trusted-devices/:device_id',
    summary: 'Ask this browser for a code again',
    auth: 'browser',
    limit: 'none',
    params: z.object({ device_id: text().max(64) }),
    output: empty,
    errors: ['DEVICE_NOT_FOUND'],
  }),
}
