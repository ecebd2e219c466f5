import { z } from 'zod'
import { endpoint } from './endpoint.ts'

/** What can change under the eyes of somebody who looks at it: the access board, the login tokens, the audit. */
export const TOPICS = ['access', 'login_tokens', 'audit'] as const
export type Topic = (typeof TOPICS)[number]

/** What machines ask. The reference page at `/api/reference` is drawn from the same table. */
export const system = {
  health: endpoint({
    method: 'GET',
    path: '/api/health',
    summary: 'Whether the server can answer and its storage can be read',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    output: z.object({ storage: z.literal('ok'), version: z.string() }),
    errors: [],
  }),

  openapi: endpoint({
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This interface as an OpenAPI 3.1 document',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    output: z.record(z.string(), z.unknown()),
    errors: [],
  }),

  changes: endpoint({
    method: 'GET',
    path: '/api/changes',
    summary: 'Tells what has changed, of what the caller may see, within a second; the first event comes at once',
    auth: 'browser',
    administers: true,
    limit: 'none',
    answers: 'events',
    output: z.object({ topics: z.array(z.enum(TOPICS)) }),
    errors: ['OVERLOADED'],
  }),
}
