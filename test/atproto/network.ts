import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { isInstalled, peersFolder } from '../../scripts/atproto.mjs'

/** A real PDS and a real PLC directory, on loopback and in a process of their own. */
export interface Network {
  /** PDS and issuer, `http://localhost:port`. */
  pdsUrl: string
  plcUrl: string
  /** Handles end in `.test`. */
  createAccount(handle: string, password: string): Promise<{ did: string; email: string }>
  /** What the handle is known as; undefined when nobody has it. */
  resolve(handle: string): Promise<string | undefined>
  stop(): Promise<void>
}

const addresses = z.object({ pdsUrl: z.url(), plcUrl: z.url() })
const identity = z.object({ did: z.string() })

export async function startNetwork(): Promise<Network> {
  if (!isInstalled())
    throw new Error('The PDS of these tests is not installed (or not the one of the lock file): npm run test:atproto')
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-pds-'))
  const child = spawn(process.execPath, [join(peersFolder, 'network.mjs'), folder], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const complaints: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text))
  const gone = once(child, 'exit')
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), gone.then(() => [])])
  if (line.length === 0) throw new Error(`The PDS ended before it was ready:\n${complaints.join('')}`)
  const { pdsUrl, plcUrl } = addresses.parse(JSON.parse(String(line[0])))
  child.stdout.resume()

  return {
    pdsUrl,
    plcUrl,
    async createAccount(handle, password) {
      const email = `${handle.replace('.', '@')}.example`
      const answer = await fetch(`${pdsUrl}/xrpc/com.atproto.server.createAccount`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ handle, email, password }),
      })
      if (!answer.ok) throw new Error(`The PDS refused the account ${handle}: ${await answer.text()}`)
      return { did: identity.parse(await answer.json()).did, email }
    },
    async resolve(handle) {
      const answer = await fetch(`${pdsUrl}/xrpc/com.atproto.identity.resolveHandle?handle=${handle}`)
      return answer.ok ? identity.parse(await answer.json()).did : undefined
    },
    async stop() {
      child.stdin.end()
      await gone
      // It complains of slowness too, which is nobody's business unless it broke.
      if (child.exitCode !== 0) process.stderr.write(`The PDS of the test has broken:\n${complaints.join('')}\n`)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
