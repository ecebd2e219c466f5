import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { createDatabase } from '../helpers/postgres.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, createUser } from '../helpers/visitor.ts'
import { makeLoginToken } from './entries.ts'

const PROCESSES = 8
const TRIES = 125

const HOUSES = {
  'one server on the embedded database': async () => {
    const server = await startTestServer()
    return { servers: [server], end: () => server.end() }
  },
  'two servers on one PostgreSQL': async () => {
    const database = await createDatabase()
    const one = await startTestServer({ config: { database: database.url } })
    const two = await startTestServer({
      config: { database: database.url, logFile: join(one.directory, 'second.log') },
      directory: one.directory,
      clock: one.clock,
    })
    const end = async () => {
      await two.stop()
      await one.end()
      await database.drop()
    }
    return { servers: [one, two], end }
  },
}

/** A program that waits for the token, and then for its answers to be asked for. */
async function startRedeemer(url: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'redeemer.mjs'), url, String(TRIES)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)
  await once(lines, 'line')
  return async (token: string): Promise<string[]> => {
    const printed = once(lines, 'line')
    child.stdin.write(`${token}\n`)
    const [answers] = await printed
    return JSON.parse(String(answers))
  }
}

async function eventsIn(server: TestServer, log: string): Promise<string[]> {
  const text = await readFile(join(server.directory, log), 'utf8')
  return text.split('\n').filter((line) => line.includes('"event":"login_token_used"'))
}

describe('one login token, redeemed a thousand times by eight programs at once', () => {
  test.each(Object.entries(HOUSES))(
    'signs in once, of %s, and its use is recorded once',
    { timeout: 60_000 },
    async (_name, open) => {
      const { servers, end } = await open()
      const [first] = servers
      if (!first) throw new Error('There is no server')
      const guest = await createUser(await buildSuperuser(first), { username: 'guest' })
      const token = await makeLoginToken(first, guest)
      const urls = Array.from({ length: PROCESSES }, (_, at) => servers[at % servers.length]?.url ?? '')
      const redeemers = await Promise.all(urls.map(startRedeemer))
      const answers = (await Promise.all(redeemers.map((redeem) => redeem(token)))).flat()
      const sessions = await first.storage.sessions.listLive(guest, first.clock(), 0)
      const entries = await first.storage.audit.list({ event: 'login_token_used' }, { limit: 5 })
      const used = [
        ...(await eventsIn(first, 'latchkey.log')),
        ...(servers[1] ? await eventsIn(first, 'second.log') : []),
      ]
      await end()

      const refusals = PROCESSES * TRIES - 1
      expect(answers.sort()).toEqual(['200 ok', ...Array<string>(refusals).fill('401 LOGIN_TOKEN_INVALID')])
      expect(sessions).toHaveLength(1)
      expect(used).toHaveLength(1)
      expect(used[0]).toContain(`"user_id":${guest}`)
      expect(used[0]).toContain('"made_by":1')
      expect(entries.total).toBe(1)
    },
  )
})
