import type { Table } from '../../api/endpoint.ts'

/**
 * A step of the page's build (a Vite plugin). The client needs only verb and path of each endpoint, so the page gets
 * the table without its schemas: they stay on the server, and zod with them (30 KB less, compressed).
 */
export function thinTable(table: Table) {
  return {
    name: 'latchkey:thin-table',
    enforce: 'pre' as const,
    load(id: string) {
      return id.endsWith('/api/index.ts') ? `export const table = ${JSON.stringify(thin(table))}` : null
    },
  }
}

function thin(table: Table): Record<string, Record<string, { method: string; path: string }>> {
  return Object.fromEntries(
    Object.entries(table).map(([area, entries]) => [
      area,
      Object.fromEntries(Object.entries(entries).map(([name, { method, path }]) => [name, { method, path }])),
    ]),
  )
}
