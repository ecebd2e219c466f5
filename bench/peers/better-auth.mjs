// better-auth as its documentation sets it up on SQLite: its Node handler, better-sqlite3, e-mail and password.
// Its rate limit is off, as it would refuse the load; no cookie cache, as it would not see a revoked session.
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import Database from 'better-sqlite3'

const [path] = process.argv.slice(2)
const database = new Database(path)
database.pragma('journal_mode = WAL')
const server = createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}`
const options = {
  database,
  baseURL: url,
  secret: 'a secret that only this measurement knows, long enough',
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
}
const { runMigrations } = await getMigrations(options)
await runMigrations()
server.on('request', toNodeHandler(betterAuth(options)))
process.stdout.write(`${JSON.stringify({ url })}\n`)
