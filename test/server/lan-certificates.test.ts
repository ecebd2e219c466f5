import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { decodeConstraints, encodeConstraints } from '../../server/lan/constraints.ts'
import { bytesOf, isWithin, lanAddresses, textOf } from '../../server/lan/addresses.ts'
import { issueLeaf, type KeyAndCertificate } from '../../server/lan/issue.ts'
import { buildClock, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, codeOf, dataOf } from '../helpers/visitor.ts'
import { askOverTls, at, authorityOf, buildNetwork, portOf, startInNetwork } from './network.ts'

const DAY = 24 * 60 * 60_000
const HERE = '127.2.0.5'

const pathOf = ({ directory }: TestServer, file: 'authority' | 'server') => join(directory, `tls/${file}.pem`)

async function pairOf(path: string): Promise<KeyAndCertificate> {
  const text = await readFile(path, 'utf8')
  const split = text.indexOf('-----BEGIN CERTIFICATE-----')
  return { key: text.slice(0, split), certificate: text.slice(split) }
}

describe('the authority', () => {
  let server: TestServer
  let ca: KeyAndCertificate
  let parsed: X509Certificate
  beforeAll(async () => {
    server = await startInNetwork(buildNetwork(at(HERE, '127.2.0.0/16'), at('::1', 'fd00:1::/64')), {
      config: { lan: true },
    })
    ca = await pairOf(pathOf(server, 'authority'))
    parsed = new X509Certificate(ca.certificate)
  })
  afterAll(() => server.end())

  test('and its certificate are in files that nobody else may read', async () => {
    for (const file of ['authority', 'server'] as const) {
      expect((await stat(pathOf(server, file))).mode & 0o777).toBe(0o600)
      const { key, certificate } = await pairOf(pathOf(server, file))
      expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/)
      expect(new X509Certificate(certificate).publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    }
    expect((await stat(join(server.directory, 'tls'))).mode & 0o777).toBe(0o700)
  })

  test('lives ten years, its certificate ninety days, and the status tells when they end', async () => {
    const leaf = new X509Certificate((await pairOf(pathOf(server, 'server'))).certificate)
    const now = server.clock()
    expect(Math.round((Date.parse(parsed.validTo) - now) / DAY)).toBe(3650)
    expect(Math.round((Date.parse(leaf.validTo) - now) / DAY)).toBe(90)
    expect(server.lan()).toMatchObject({
      certificate: { fingerprint: leaf.fingerprint256, expires_at: new Date(leaf.validTo).toISOString() },
      authority: { fingerprint: parsed.fingerprint256, expires_at: new Date(parsed.validTo).toISOString() },
    })
    expect(leaf.checkIssued(parsed) && leaf.verify(parsed.publicKey)).toBe(true)
  })

  test('is an authority for web servers of this machine and nothing else, and says so', () => {
    expect(parsed.ca).toBe(true)
    expect(parsed.subject).toMatch(/^CN=Latchkey on desk-7 \([0-9A-F]{4}\)\nO=Latchkey$/)
    const announced = ['latchkey', 'latchkey-2', 'latchkey-3', 'latchkey-4', 'latchkey-5'].map((one) => `${one}.local`)
    expect(decodeConstraints(parsed.raw)).toEqual({
      names: [...announced, 'desk-7', 'desk-7.local'],
      networks: ['127.2.0.0/16', 'fd00:1::/64'],
    })
    expect(server.lan().authority?.covers).toContain('127.2.0.0/16')
  })

  describe('whose key was stolen', () => {
    const span = () => ({ from: Date.now(), until: Date.now() + DAY })

    test.each(['evil.example', 'local', 'xlatchkey.local', '10.0.0.1', '127.3.0.1', '2001:db8::1', 'fd00:2::1'])(
      'makes no certificate for %s that a client would take',
      async (name) => {
        const forged = await issueLeaf(ca, [name], '1f', span())
        await expect(shakeHands(forged, ca.certificate)).rejects.toThrow(/permitted subtree violation/i)
        expect(await verdictOfOpenssl(forged.certificate, ca.certificate)).toMatch(/permitted subtree violation|absent/)
      },
    )

    test('and for this machine it does, which is what makes the others count', async () => {
      const sound = await issueLeaf(ca, ['latchkey.local'], '1f', span())
      await shakeHands(sound, ca.certificate)
      expect(await verdictOfOpenssl(sound.certificate, ca.certificate)).toMatch(/OK|absent/)
    })
  })
})

test('a machine whose name could be the end of a name on the internet gets no authority over that', async () => {
  const network = buildNetwork(at('127.2.1.5'))
  const server = await startInNetwork(
    { ...network, outside: { ...network.outside, hostname: 'dev' } },
    { config: { lan: true } },
  )
  onTestFinished(() => server.end())
  expect(server.lan().authority?.covers).toContain('dev.local')
  expect(server.lan().authority?.covers).not.toContain('dev')
})

describe('in the course of time', () => {
  test('the certificate is renewed with thirty days left, for new connections only; a restart makes no new one', async () => {
    const server = await startInNetwork(buildNetwork(at('127.2.2.5')), { config: { lan: true } })
    const first = server.lan()
    server.clock.advance(59 * DAY)
    expect((await server.switchLan(true)).certificate).toEqual(first.certificate)
    server.clock.advance(2 * DAY)
    const second = await server.switchLan(true)
    expect(second.certificate?.fingerprint).not.toBe(first.certificate?.fingerprint)
    expect(second.authority).toEqual(first.authority)
    const restarted = await server.restart()
    onTestFinished(() => restarted.end())
    expect(restarted.lan()).toMatchObject({ certificate: second.certificate, authority: second.authority })
  })

  test('an authority that ends soon is a problem, and its last certificate ends with it', async () => {
    const server = await startInNetwork(buildNetwork(at('127.2.3.5')), { config: { lan: true } })
    onTestFinished(() => server.end())
    server.clock.advance(3650 * DAY - 20 * DAY)
    const { problems, certificate, authority } = await server.switchLan(true)
    expect(problems).toMatchObject([{ code: 'authority_ending' }])
    expect(certificate?.expires_at).toBe(authority?.expires_at)
    expect((await server.switchLan(true)).certificate).toEqual(certificate)
  })
})

describe('files that are damaged', () => {
  const start = async (address: string) => {
    const clock = buildClock(Date.now())
    const server = await startInNetwork(buildNetwork(at(address)), { config: { lan: true }, clock })
    const admin = await buildSuperuser(server)
    return { server, admin, before: server.lan() }
  }
  const damages: [string, (path: string) => Promise<void>][] = [
    ['is cut', async (path) => writeFile(path, (await readFile(path, 'utf8')).slice(0, -200))],
    ['is another file', (path) => writeFile(path, 'hello')],
    ['is missing', (path) => rm(path)],
    ['has a foreign key', async (path) => writeFile(path, FOREIGN_KEY + (await pairOf(path)).certificate)],
  ]

  test.each(damages)(
    'an authority that %s is told of, never replaced, and the certificate goes on',
    async (_how, damage) => {
      const { server, before } = await start('127.2.4.5')
      await server.stop()
      await damage(pathOf(server, 'authority'))
      const left = await readFile(pathOf(server, 'authority'), 'utf8').catch(() => 'none')
      const again = await server.restart()
      onTestFinished(() => again.end())
      expect(again.lan()).toMatchObject({ on: true, authority: null, certificate: before.certificate, trust_url: null })
      expect(again.lan().problems).toMatchObject([{ code: 'authority_unreadable' }])
      expect(again.lan().problems[0]?.detail).toContain(pathOf(server, 'authority'))
      expect(await readFile(pathOf(server, 'authority'), 'utf8').catch(() => 'none')).toBe(left)
      const admin = await buildSignedIn(again, ADMIN.username, ADMIN.password)
      const mended = dataOf(await admin.client.lan.makeAuthority())
      expect(mended).toMatchObject({
        problems: [],
        authority: { fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}/) },
      })
      const over = { address: '127.2.4.5', port: portOf(again), ca: await authorityOf(again) }
      expect((await askOverTls(over)).status).toBe(200)
    },
  )

  test('an authority that goes missing while it serves is told of until it is back, and serves on', async () => {
    const { server, before } = await start('127.2.5.6')
    onTestFinished(() => server.end())
    const path = pathOf(server, 'authority')
    const kept = await readFile(path, 'utf8')
    await rm(path)
    const missing = await server.switchLan(true)
    expect(missing).toMatchObject({ authority: before.authority, certificate: before.certificate })
    expect(missing.problems).toEqual([{ code: 'authority_unreadable', detail: `${path}: missing` }])
    await writeFile(path, kept)
    expect((await server.switchLan(true)).problems).toEqual([])
  })

  test('a damaged certificate of it is made again, because nobody but us relies on that', async () => {
    const { server, before } = await start('127.2.5.5')
    await server.stop()
    await writeFile(pathOf(server, 'server'), 'hello')
    const again = await server.restart()
    onTestFinished(() => again.end())
    expect(again.lan()).toMatchObject({ authority: before.authority, problems: [] })
    expect(again.lan().certificate?.fingerprint).not.toBe(before.certificate?.fingerprint)
  })

  test('a new authority wants a recent proof, replaces the old one, and stands in the audit with who made it', async () => {
    const { server, admin, before } = await start('127.2.6.5')
    onTestFinished(() => server.end())
    const made = dataOf(await admin.client.lan.makeAuthority())
    expect(made.authority?.fingerprint).not.toBe(before.authority?.fingerprint)
    const old = { address: '127.2.6.5', port: portOf(server) }
    expect((await askOverTls({ ...old, ca: await authorityOf(server) })).status).toBe(200)
    const { items } = dataOf(await admin.client.audit.list({ query: { event: 'authority_made' } }))
    expect(items).toMatchObject([
      { actor: 'ann', detail: { fingerprint: made.authority?.fingerprint } },
      { actor: null },
    ])
    server.clock.advance(16 * 60_000)
    expect(codeOf(await admin.client.lan.makeAuthority())).toBe('REAUTH_REQUIRED')
  })

  test('two who ask for a new authority at once get the same', async () => {
    const { server, admin, before } = await start('127.2.6.6')
    onTestFinished(() => server.end())
    const made = await Promise.all([admin.client.lan.makeAuthority(), admin.client.lan.makeAuthority()])
    const [one, other] = made.map((outcome) => dataOf(outcome).authority?.fingerprint)
    expect(one).toBe(other)
    expect(one).not.toBe(before.authority?.fingerprint)
  })

  test('a directory that cannot be written to is told of, and the certificate serves from memory', async () => {
    const { server, admin } = await start('127.2.7.5')
    onTestFinished(() => server.end())
    await rm(join(server.directory, 'tls'), { recursive: true })
    await writeFile(join(server.directory, 'tls'), 'in the way')
    expect(codeOf(await admin.client.lan.makeAuthority())).toBe('STORAGE_UNAVAILABLE')
    server.clock.advance(61 * DAY)
    const { problems, certificate } = await server.switchLan(true)
    expect(problems).toMatchObject([{ code: 'files_unwritable' }, { code: 'files_unwritable' }])
    expect(Date.parse(certificate?.expires_at ?? '')).toBeGreaterThan(server.clock() + 80 * DAY)
  })
})

describe('certificate files of the own', () => {
  let directory: string
  let paths: { tlsCert: string; tlsKey: string }
  let ca: KeyAndCertificate
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'latchkey-test-'))
    paths = { tlsCert: join(directory, 'console.crt'), tlsKey: join(directory, 'console.key') }
    const maker = await startInNetwork(buildNetwork(at('127.2.8.5')), { config: { lan: true } })
    ca = await pairOf(pathOf(maker, 'authority'))
    await maker.end()
  })
  afterAll(() => rm(directory, { recursive: true }))
  const put = async (serial: string, life = 60 * DAY) => {
    const names = ['console.desk-7.local', '127.2.8.5']
    const pair = await issueLeaf(ca, names, serial, { from: Date.now(), until: Date.now() + life })
    await writeFile(paths.tlsCert, pair.certificate)
    await writeFile(paths.tlsKey, pair.key)
    return new X509Certificate(pair.certificate).fingerprint256
  }

  test('are shown, their names are ours, no authority is made; new ones count at once, bad ones not at all', async () => {
    const first = await put('0a')
    const server = await startInNetwork(buildNetwork(at('127.2.8.5')), { config: { lan: true, ...paths } })
    onTestFinished(() => server.end())
    const over = { address: '127.2.8.5', port: portOf(server), ca: ca.certificate }
    expect((await askOverTls({ ...over, name: 'console.desk-7.local' })).status).toBe(200)
    expect(server.lan()).toMatchObject({
      certificate: { source: 'files', fingerprint: first, names: ['console.desk-7.local', '127.2.8.5'] },
      ...{ authority: null, trust_url: null, problems: [] },
    })
    const admin = await buildSuperuser(server)
    expect(codeOf(await admin.client.lan.makeAuthority())).toBe('LAN_OWN_CERTIFICATE')
    await expect(stat(join(server.directory, 'tls'))).rejects.toThrow('ENOENT')

    const second = await put('0b')
    expect((await server.switchLan(true)).certificate?.fingerprint).toBe(second)
    expect((await askOverTls(over)).certificate.fingerprint256).toBe(second)

    await writeFile(paths.tlsKey, FOREIGN_KEY)
    const kept = await server.switchLan(true)
    expect(kept).toMatchObject({ certificate: { fingerprint: second }, problems: [{ code: 'certificate_unreadable' }] })
    await rm(paths.tlsKey)
    expect((await server.switchLan(true)).problems).toMatchObject([{ code: 'certificate_unreadable' }])
    expect((await askOverTls(over)).certificate.fingerprint256).toBe(second)

    await put('0c', 5 * DAY)
    expect((await server.switchLan(true)).problems).toMatchObject([{ code: 'certificate_ending' }])
  })

  test('that are bad from the start leave the network alone, and the machine itself is served', async () => {
    await writeFile(paths.tlsCert, 'hello')
    const server = await startInNetwork(buildNetwork(at('127.2.9.5')), { config: { lan: true, ...paths } })
    onTestFinished(() => server.end())
    expect(server.lan()).toMatchObject({ on: true, urls: [], problems: [{ code: 'certificate_unreadable' }] })
    expect((await fetch(`${server.url}/api/health`)).status).toBe(200)
  })
})

describe('the addresses', () => {
  const one = (address: string, cidr: string | null, internal = false) => {
    const family = address.includes(':') ? ('IPv6' as const) : ('IPv4' as const)
    const info = { address, cidr, internal, netmask: '', mac: '' }
    return family === 'IPv6' ? { ...info, family, scopeid: 0 } : { ...info, family }
  }
  const interfaces = {
    lo: [one('127.0.0.1', '127.0.0.1/8', true)],
    docker0: [one('172.17.0.1', '172.17.0.1/16')],
    eth0: [
      one('fe80::1', 'fe80::1/64'),
      one('2001:db8::7', '2001:db8::7/64'),
      one('fd12:3::9', 'fd12:3::9/64'),
      one('203.0.113.9', '203.0.113.9/24'),
      one('192.168.1.7', '192.168.1.7/24'),
    ],
    wifi: [one('169.254.3.4', '169.254.3.4/16')],
  }
  const listed = (told: string) => lanAddresses(interfaces, told).map(({ address }) => address)

  test('of private networks count, the likeliest first; those of the internet only where somebody says so', () => {
    expect(listed('127.0.0.1')).toEqual(['192.168.1.7', 'fd12:3::9', '169.254.3.4', '172.17.0.1'])
    expect(listed('203.0.113.9')[0]).toBe('203.0.113.9')
    expect(listed('0.0.0.0')).toEqual(['203.0.113.9', '192.168.1.7', '169.254.3.4', '172.17.0.1'])
    expect(listed('::')).toContain('2001:db8::7')
    expect(listed('::')).not.toContain('fe80::1')
  })

  test('come with their network, but on the internet alone', () => {
    const networks = Object.fromEntries(
      lanAddresses(interfaces, '::').map(({ address, network }) => [address, network]),
    )
    expect(networks).toMatchObject({
      '192.168.1.7': '192.168.1.0/24',
      'fd12:3::9': 'fd12:3::/64',
      '203.0.113.9': '203.0.113.9/32',
      '2001:db8::7': '2001:db8::7/128',
    })
    expect(isWithin('192.168.1.200', '192.168.1.0/24')).toBe(true)
    expect(isWithin('192.168.2.1', '192.168.1.0/24')).toBe(false)
    expect(isWithin('::ffff:192.168.1.2', '192.168.1.0/24')).toBe(false)
  })

  test.each([
    ['172.16.5.1/8', '172.16.0.0/12'],
    ['192.168.1.5/8', '192.168.0.0/16'],
    ['10.0.0.5/0', '10.0.0.0/8'],
    ['169.254.1.1/0', '169.254.0.0/16'],
    ['fd00::5/0', 'fc00::/7'],
    ['10.1.2.3/30', '10.1.2.0/30'],
  ])('with the mask of %s are in %s: no mask reaches beyond the private block', (cidr, network) => {
    const [address = ''] = cidr.split('/')
    expect(lanAddresses({ eth0: [one(address, cidr)] }, '127.0.0.1')).toEqual([{ address, network, through: 'eth0' }])
  })

  test.each(['1.2.3.4', '::', '::1', 'fd00::', '2001:db8:1:2:3:4:5:6', '2001:db8::1:0:0:1'])(
    '%s is itself',
    (address) => {
      expect(textOf(bytesOf(address))).toBe(address)
    },
  )

  test('constraints come back as they went, however many', () => {
    const names = Array.from({ length: 40 }, (_, at) => `name-${at}.example.local`)
    const networks = ['10.0.0.0/8', '192.168.1.4/30', '0.0.0.0/0', 'fd00:1:2::/48', '2001:db8::1/128']
    const value = encodeConstraints({ names, networks })
    const extension = Buffer.concat([Buffer.from('0603551d1e0101ff0482', 'hex'), lengthOf(value), value])
    expect(decodeConstraints(extension)).toEqual({ names, networks })
    expect(decodeConstraints(Buffer.from('nothing of the kind'))).toBeUndefined()
  })
})

const lengthOf = (bytes: Uint8Array) => Uint8Array.of(bytes.length >> 8, bytes.length & 0xff)

const FOREIGN_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAGhRANCAARrF9Hy4SxCR/i85uVjpEDydwN9gS3r
M6D0oTlF2JjClk/jQuL+Gn+bjufrSnwPnhYrzjNXazFezsu2QGg3v1H1
-----END PRIVATE KEY-----
`

/** Has a client meet a server with this certificate; rejects with what the client says against it. */
async function shakeHands({ key, certificate }: KeyAndCertificate, ca: string): Promise<void> {
  const server = createServer({ key, cert: certificate }, (socket) => socket.on('error', () => {}))
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const client = connect({ host: '127.0.0.1', port, ca, checkServerIdentity: () => undefined })
  try {
    await once(client, 'secureConnect')
  } finally {
    client.destroy()
    server.close()
  }
}

/** What OpenSSL's own program says, which is stricter than its library in Node; `absent` where there is none. */
async function verdictOfOpenssl(certificate: string, ca: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-test-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'ca.pem'), ca)
  await writeFile(join(directory, 'leaf.pem'), certificate)
  const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'leaf.pem']
  return promisify(execFile)('openssl', args, { cwd: directory }).then(
    ({ stdout }) => stdout,
    (error: NodeJS.ErrnoException & { stderr?: string }) => (error.code === 'ENOENT' ? 'absent' : (error.stderr ?? '')),
  )
}
