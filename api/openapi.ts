import { z } from 'zod'
import { authOf, codesOf, type Endpoint, type Table } from './endpoint.ts'
import { ERROR_STATUS } from './errors.ts'

type Json = Record<string, unknown>

/** The table as an OpenAPI 3.1 document. Pure: the same table gives the same document. */
export function createOpenApi(table: Table, version: string): Json {
  const paths: Record<string, Json> = {}
  for (const [area, entries] of Object.entries(table)) {
    for (const [name, entry] of Object.entries(entries)) {
      const path = entry.path.replace(/:(\w+)/g, '{$1}')
      paths[path] = { ...paths[path], [entry.method.toLowerCase()]: operation(area, name, entry) }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Latchkey', version, license: { name: 'MIT', identifier: 'MIT' } },
    paths,
    components: {
      securitySchemes: {
        cookie: { type: 'apiKey', in: 'cookie', name: 'latchkey_session' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  }
}

function operation(area: string, name: string, entry: Endpoint): Json {
  const auth = authOf(entry)
  return {
    operationId: `${area}.${name}`,
    tags: [area],
    summary: entry.summary,
    description: describe(entry),
    security: auth === 'public' ? [] : [{ cookie: [] }, { bearer: [] }],
    parameters: [...parameters('path', entry.params), ...parameters('query', entry.query)],
    ...(entry.body ? { requestBody: { required: true, content: json(schemaOf(entry.body, 'input')) } } : {}),
    responses: responses(entry),
  }
}

const GATE_TEXTS: Record<NonNullable<Endpoint['gate']>, string> = {
  open: 'Usable while a password change or an enrolment is required.',
  password: 'Usable while a password change is required.',
  second_factor: 'Usable while the enrolment of a second factor is required.',
  proof: 'Usable while a second factor has to be enrolled or proved.',
}

function describe(entry: Endpoint): string {
  const parts = [`Caller: \`${authOf(entry)}\`.`]
  if (entry.gate) parts.push(GATE_TEXTS[entry.gate])
  if (entry.scope) parts.push('Usable while the grant of an ATProto session lacks a scope.')
  if (entry.fresh) parts.push('Needs a re-authentication in the last 15 minutes.')
  return parts.join(' ')
}

function parameters(place: 'path' | 'query', schema: z.ZodType | undefined): Json[] {
  if (!schema) return []
  const shape = schemaOf(schema, 'input')
  const properties = isJson(shape['properties']) ? shape['properties'] : {}
  const required = Array.isArray(shape['required']) ? shape['required'] : []
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }))
}

function responses(entry: Endpoint): Json {
  const byStatus = new Map<number, string[]>()
  for (const code of codesOf(entry)) {
    byStatus.set(ERROR_STATUS[code], [...(byStatus.get(ERROR_STATUS[code]) ?? []), code])
  }
  const refusals = [...byStatus].map(([status, codes]) => [String(status), refusal(codes)])
  return { [statusOf(entry)]: { description: 'Success', content: success(entry) }, ...Object.fromEntries(refusals) }
}

/** A redirect names its status in its output. */
function statusOf({ answers, output, status }: Endpoint): string {
  if (answers !== 'redirect') return String(status ?? 200)
  return output.safeParse({ location: '', status: 302 }).success ? '302' : '303'
}

function success({ answers, output }: Endpoint): Json {
  if (answers === 'redirect') return {}
  if (answers === 'document') return json(schemaOf(output, 'output'))
  if (answers === 'file') return { '*/*': { schema: { type: 'string' } } }
  const data = schemaOf(output, 'output')
  if (answers === 'events') return { 'text/event-stream': { schema: data } }
  return json({ type: 'object', required: ['status', 'data'], properties: { status: { const: 'ok' }, data } })
}

function refusal(codes: string[]): Json {
  return {
    description: codes.join(', '),
    content: json({
      type: 'object',
      required: ['status', 'error', 'message'],
      properties: {
        status: { const: 'error' },
        error: { enum: codes },
        message: { type: 'string' },
        error_data: {},
      },
    }),
  }
}

function json(schema: Json): Json {
  return { 'application/json': { schema } }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null
}
