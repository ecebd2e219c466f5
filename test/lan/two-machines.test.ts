import { once } from 'node:events'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ADMIN } from '../helpers/visitor.ts'
import { connectMachines, findIp, type LanServer, type Machine, type Machines, startLanServer } from './machines.ts'

const PORT = 8787
const found = await findIp()
// Loudly: else nobody would notice that it is never run.
if ('reason' in found) console.warn(`\nNOT TESTED with a second machine: ${found.reason}.\n`)

const answersSchema = z.array(
  z.object({
    status: z.number().optional(),
    headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
    body: z.string().optional(),
    error: z.string().optional(),
  }),
)

describe.skipIf('reason' in found)('from another machine', () => {
  let machines: Machines
  let directory: string
  let server: LanServer
  let ca: string
  beforeAll(async () => {
    if ('reason' in found) return
    directory = await mkdtemp(join(tmpdir(), 'latchkey-test-'))
    machines = await connectMachines(found.ip)
    server = await startLanServer(machines.here, directory, PORT)
    const body = { setup_token: server.setupToken, ...ADMIN, confirm_password: ADMIN.password }
    const setup = await ask(machines.here, { host: '127.0.0.1', path: '/api/auth/setup', method: 'POST', body })
    expect(setup.status).toBe(200)
    ca = (await fromThere({ path: '/trust/latchkey-ca.pem' })).body ?? ''
  })
  afterAll(async () => {
    await server?.stop()
    await machines?.end()
    if (directory) await rm(directory, { recursive: true })
  })

  async function ask(machine: Machine, question: object) {
    const asks = [{ port: PORT, ...question }]
    const [answer] = answersSchema.parse(await machine.does({ do: 'ask', asks }))
    return answer ?? {}
  }
  const fromThere = (question: object) => ask(machines.there, { host: machines.here.address, ...question })
  const login = { path: '/api/auth/login', method: 'POST', body: ADMIN }

  test('the person who starts it reads where the others find it, beside the lines of the contract', () => {
    expect(server.lines.map((line) => JSON.parse(line).event)).toEqual(['ready', 'setup_link'])
    expect(JSON.parse(server.lines[0] ?? '')).toMatchObject({ url: `http://127.0.0.1:${PORT}` })
    const problems = server.problems.join('\n')
    expect(problems).toContain(`https://10.77.0.1:${PORT}`)
    expect(problems).toContain(`http://10.77.0.1:${PORT}/trust`)
  })

  test('the authority that it downloads has the fingerprint that is shown at the server', () => {
    expect(server.problems.join('\n')).toContain(new X509Certificate(ca).fingerprint256)
  })

  test('sign-in over plain HTTP is refused, with a page that says why', async () => {
    const refused = await fromThere(login)
    expect([refused.status, refused.headers?.['set-cookie']]).toEqual([403, undefined])
    expect(refused.body).toContain('INSECURE_TRANSPORT')
    const page = await fromThere({ path: '/login' })
    expect(page.status).toBe(403)
    expect(page.body).toContain('This connection is not encrypted')
    expect(page.body).toContain(`https://10.77.0.1:${PORT}`)
  })

  test('sign-in over TLS is refused by who does not know the authority', async () => {
    expect((await fromThere({ ...login, tls: true })).error).toMatch(/unable to verify|self.signed/)
  })

  test('sign-in over TLS works for who trusts it, by address and by the announced name', async () => {
    for (const name of [undefined, 'latchkey.local']) {
      const signedIn = await fromThere({ ...login, tls: true, ca, name })
      expect(signedIn.status, signedIn.error).toBe(200)
      const [cookie = ''] = [signedIn.headers?.['set-cookie'] ?? []].flat()
      expect(cookie).toMatch(/^__Host-latchkey_session=.+; Secure$/)
      const headers = { Cookie: cookie.slice(0, cookie.indexOf(';')) }
      const me = await fromThere({ path: '/api/auth/me', tls: true, ca, name, headers })
      expect(me.body).toContain(`"username":"${ADMIN.username}"`)
    }
  })

  test('a foreign name in Host is refused, though the connection is sound', async () => {
    const foreign = await fromThere({ ...login, tls: true, ca, hostHeader: 'evil.example' })
    expect([foreign.status, foreign.body]).toEqual([403, expect.stringContaining('BAD_ORIGIN')])
    expect((await fromThere({ path: '/', hostHeader: `evil.example:${PORT}` })).body).toContain('BAD_ORIGIN')
  })

  const resolveName = () => machines.there.does({ do: 'resolve', name: 'latchkey.local', from: machines.there.address })

  test('the name is found by multicast', async () => {
    expect(await resolveName()).toContain(ADDRESS_RECORD)
  })

  test('an address that the server gets later answers, and is vouched for', async () => {
    await machines.here.takes('10.77.0.9')
    const reach = () => fromThere({ path: '/api/health', tls: true, ca, host: '10.77.0.9' })
    await expect.poll(async () => (await reach()).status, { timeout: 15_000, interval: 500 }).toBe(200)
  })

  test('when it stops it says goodbye, and ends in order', async () => {
    // With its new address it begins anew.
    expect(await resolveName()).toContain(ADDRESS_RECORD)
    const client = join(import.meta.dirname, 'client.mjs')
    const listener = machines.there.starts([client, JSON.stringify({ do: 'overhear', from: machines.there.address })])
    const { stdin, stdout, stderr } = listener
    if (!stdin || !stdout || !stderr) throw new Error('a child without pipes')
    await once(stderr, 'data')
    expect(await server.stop()).toBe(0)
    stdin.end()
    let heard = ''
    for await (const part of stdout.setEncoding('utf8')) heard += String(part)
    const packets = z.array(z.string()).parse(JSON.parse(heard))
    // A life of no seconds: forget it.
    expect(packets.filter((packet) => packet.includes(`00000000${ADDRESS_RECORD}`))).not.toEqual([])
  })
})

/** The length of an IPv4 address, and 10.77.0.1. */
const ADDRESS_RECORD = '00040a4d0001'
