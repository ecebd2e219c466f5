import { describe, expect, test } from 'vitest'
import { codesOf } from '../../api/endpoint.ts'
import { table } from '../../api/index.ts'
import { createOpenApi } from '../../api/openapi.ts'
import { entries } from '../server/entries.ts'

interface Operation {
  operationId: string
  security: object[]
  parameters: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { content: { 'application/json': { schema: { additionalProperties?: unknown } } } }
  responses: Record<string, { description: string; content: Record<string, { schema: object }> }>
}

interface Document {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
}

/** Of each way to answer: its media type, and what its schema says. */
const SUCCESS = {
  json: ['application/json', { required: ['status', 'data'] }],
  file: ['*/*', { type: 'string' }],
  document: ['application/json', { type: 'object' }],
  events: ['text/event-stream', { type: 'object' }],
} as const

const document = JSON.parse(JSON.stringify(createOpenApi(table, '1.2.3'))) as Document
const operationOf = (path: string, method: string) =>
  document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]

describe('the OpenAPI document', () => {
  test('is 3.1, names the version and holds exactly the calls of the table', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(document.info).toMatchObject({ title: 'Latchkey', version: '1.2.3' })
    expect(Object.values(document.paths).flatMap((path) => Object.keys(path))).toHaveLength(entries.length)
    expect(Object.keys(document.paths).filter((path) => path.includes(':'))).toEqual([])
  })

  test('names every operation once', () => {
    const ids = entries.map(([, entry]) => operationOf(entry.path, entry.method)?.operationId)
    expect(ids).toEqual(entries.map(([name]) => name))
  })

  test.each(entries)('%s has its path parameters, its success and every refusal', (_name, entry) => {
    const operation = operationOf(entry.path, entry.method)
    const inPath = operation?.parameters.filter((parameter) => parameter.in === 'path' && parameter.required)
    expect(inPath?.map((parameter) => parameter.name)).toEqual(
      [...entry.path.matchAll(/:(\w+)/g)].map((match) => match[1]),
    )
    if (entry.answers === 'redirect') {
      expect(Object.keys(operation?.responses ?? {}).filter((status) => status.startsWith('30'))).toHaveLength(1)
    } else {
      const success = operation?.responses[entry.status ?? 200]?.content ?? {}
      const [type, envelope] = SUCCESS[entry.answers ?? 'json']
      expect(success[type]?.schema).toMatchObject(envelope)
    }
    const told = Object.values(operation?.responses ?? {}).flatMap((response) => response.description.split(', '))
    expect(told).toEqual(expect.arrayContaining(codesOf(entry)))
    expect(operation?.security).toHaveLength(entry.auth === 'public' ? 0 : 2)
  })

  test('says that unknown fields of a body are refused', () => {
    const body = operationOf('/api/v2/users', 'POST')?.requestBody?.content['application/json'].schema
    expect(body?.additionalProperties).toBe(false)
  })

  test('is the same for the same table, so that a difference means a change', () => {
    expect(createOpenApi(table, '1')).toEqual(createOpenApi(table, '1'))
  })
})
