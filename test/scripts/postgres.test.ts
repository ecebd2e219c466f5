import pg from 'pg'
import { expect, test } from 'vitest'
import { createDatabase } from '../helpers/postgres.ts'

test('each database is empty and apart from the others', async () => {
  const [one, other] = await Promise.all([createDatabase(), createDatabase()])
  await query(one.url, 'create table mark (id int)')
  expect(await query(one.url, 'select count(*)::int as n from mark')).toEqual([{ n: 0 }])
  await expect(query(other.url, 'select * from mark')).rejects.toThrow('relation "mark" does not exist')
  await Promise.all([one.drop(), other.drop()])
})

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
    .query<Record<string, unknown>>(statement)
    .then(({ rows }) => rows)
    .finally(() => client.end())
}
