import type { Context } from 'koa'
import getRawBody from 'raw-body'
import type { z } from 'zod'
import type { Fault } from '../../api/errors.ts'
import { ApiError } from '../domain/refusal.ts'

const MAX_BYTES = 64 * 1024

/** The parsed body, or the refusal that says what is wrong with it. */
export async function readBody(ctx: Context, schema: z.ZodType): Promise<unknown> {
  if (ctx.is('application/json') !== 'application/json') {
    // An empty body has no type; it is judged by the schema like `{}`.
    if (ctx.request.length === undefined && ctx.get('Transfer-Encoding') === '')
      return parseWith(schema, {}, 'INVALID_JSON_SCHEMA')
    throw new ApiError('UNSUPPORTED_MEDIA_TYPE')
  }
  return parseWith(schema, parseJson(await readText(ctx)), 'INVALID_JSON_SCHEMA')
}

export function parseWith(
  schema: z.ZodType,
  value: unknown,
  code: 'INVALID_JSON_SCHEMA' | 'INVALID_QUERY' | 'NOT_FOUND',
): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw code === 'NOT_FOUND' ? new ApiError(code) : new ApiError(code, faultsOf(parsed.error.issues))
}

async function readText(ctx: Context): Promise<string> {
  try {
    const bytes = await getRawBody(ctx.req, { length: ctx.request.length ?? null, limit: MAX_BYTES })
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    const tooLarge = error instanceof Error && 'type' in error && error.type === 'entity.too.large'
    throw new ApiError(tooLarge ? 'PAYLOAD_TOO_LARGE' : 'INVALID_JSON')
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ApiError('INVALID_JSON')
  }
}

/** Every fault, each with its place; an unknown field is a fault of its own, at its own place. */
function faultsOf(issues: readonly z.core.$ZodIssue[]): Fault[] {
  return issues.flatMap((issue) => {
    const at = (key?: string) => [...issue.path, ...(key === undefined ? [] : [key])].map(String).join('.')
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: at(key), message: 'unknown field' }))
    return [{ path: at(), message: issue.message }]
  })
}
