// A PLC directory and a PDS in a process of their own: `node network.mjs FOLDER`. Prints one line of JSON when both
// answer, and ends when its standard input does, so that it never outlives the test, however that ends.
import { once } from 'node:events'
import { createServer, Server } from 'node:net'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const [folder = ''] = process.argv.slice(2)
process.env.LOG_ENABLED = 'false'
stayAtHome()

const [{ PDS, envToCfg, envToSecrets }, plc] = await Promise.all([import('@atproto/pds'), import('@did-plc/server')])

const plcUrl = await startPlc()
const pdsUrl = await startPds()
process.stdout.write(`${JSON.stringify({ pdsUrl, plcUrl })}\n`)
process.stdin.resume()
await once(process.stdin, 'close')
process.exit(0)

/** Both would listen on every address of the machine. */
function stayAtHome() {
  const { listen } = Server.prototype
  Server.prototype.listen = function (port, ...rest) {
    const options = typeof port === 'object' ? port : { port: Number(port) }
    return listen.call(this, { ...options, host: '127.0.0.1' }, ...rest.filter((one) => typeof one === 'function'))
  }
}

async function startPlc() {
  const port = await freePort()
  // Its module is CommonJS, which is seen in two shapes.
  const { PlcServer, Database } = plc.default?.PlcServer ? plc.default : plc
  await PlcServer.create({ db: Database.mock(), port }).start()
  return `http://127.0.0.1:${port}`
}

async function startPds() {
  const port = await freePort()
  const blobs = join(folder, 'blobs')
  mkdirSync(blobs, { recursive: true })
  const settings = {
    devMode: true,
    port,
    hostname: 'localhost',
    dataDirectory: folder,
    blobstoreDiskLocation: blobs,
    didPlcUrl: plcUrl,
    serviceHandleDomains: ['.test'],
    inviteRequired: false,
    disableSsrfProtection: true,
    rateLimitsEnabled: false,
    adminPassword: hex(16),
    jwtSecret: hex(16),
    dpopSecret: hex(32),
    plcRotationKeyK256PrivateKeyHex: hex(32),
  }
  await (await PDS.create(envToCfg(settings), envToSecrets(settings))).start()
  return `http://localhost:${port}`
}

/** @param {number} bytes */
function hex(bytes) {
  return randomBytes(bytes).toString('hex')
}

async function freePort() {
  const probe = createServer()
  probe.listen(0)
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
