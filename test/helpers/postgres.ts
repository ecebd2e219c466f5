import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { inject } from 'vitest'
import { howToGetPostgres } from '../../scripts/postgres.mjs'

const keeper = join(import.meta.dirname, '../../scripts/postgres-keeper.mjs')

/** Starts a private server on a free loopback port. It ends with `stop`, or with this process however that ends. */
export async function startPostgres(initdb: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [keeper, initdb], { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  const exited = once(child, 'exit')
  const ready = once(createInterface(child.stdout), 'line').then(
    ([line]) => JSON.parse(String(line)) as { url: string },
  )
  const failed = exited.then(() => Promise.reject(new Error('PostgreSQL did not start; its message is above.')))
  const { url } = await Promise.race([ready, failed])
  failed.catch(() => undefined)
  return {
    url,
    async stop() {
      child.stdin.end()
      await exited
    },
  }
}

/** A fresh, empty database on the run's PostgreSQL; one per test file (or per test) keeps them apart. */
export async function createDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const server = inject('postgresUrl')
  if (server === '') throw new Error(howToGetPostgres)
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await administer(server, `create database ${name} template template0`)
  return { url: `${server}/${name}`, drop: () => administer(server, `drop database if exists ${name} with (force)`) }
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: `${server}/postgres` })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
