import { z } from 'zod'
import { endpoint } from './endpoint.ts'

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
}
