import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)
const client = join(import.meta.dirname, 'client.mjs')
const program = join(import.meta.dirname, '../../server/main.ts')

/** Two machines with a cable between them: network namespaces of Linux. */
export interface Machines {
  here: Machine
  there: Machine
  /** Unplugs and forgets both. */
  end(): Promise<void>
}

export interface Machine {
  name: string
  address: string
  /** Does what `client.mjs` knows, on this machine. */
  does(order: object): Promise<unknown>
  /** A program on this machine. */
  starts(args: string[]): ChildProcess
  takes(address: string): Promise<void>
}

/** Where the program `ip` is, if this process may use it for that; else why it cannot. */
export async function findIp(): Promise<{ ip: string } | { reason: string }> {
  if (process.platform !== 'linux') return { reason: 'network namespaces are a thing of Linux' }
  if (process.getuid?.() !== 0) return { reason: 'network namespaces need root' }
  const ip = ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip', '/bin/ip'].find((path) => existsSync(path))
  if (ip === undefined) return { reason: 'the program ip is missing (Debian: iproute2)' }
  const probe = `latchkey-probe-${process.pid}`
  try {
    await run(ip, ['netns', 'add', probe])
    await run(ip, ['netns', 'del', probe])
    return { ip }
  } catch (error) {
    return {
      reason: `this machine lets nobody make network namespaces: ${error instanceof Error ? error.message : ''}`,
    }
  }
}

export async function connectMachines(ip: string): Promise<Machines> {
  const names = ['a', 'b'].map((one) => `latchkey-${one}-${process.pid}`)
  const cables = ['a', 'b'].map((one) => `lk${one}${process.pid}`)
  const [here = '', there = ''] = names
  const [end = '', otherEnd = ''] = cables
  for (const name of names) await run(ip, ['netns', 'add', name])
  await run(ip, ['link', 'add', end, 'netns', here, 'type', 'veth', 'peer', 'name', otherEnd, 'netns', there])
  const build = async (name: string, cable: string, address: string): Promise<Machine> => {
    const within = (...args: string[]) => run(ip, ['-n', name, ...args])
    await within('link', 'set', 'lo', 'up')
    await within('address', 'add', `${address}/24`, 'dev', cable)
    await within('link', 'set', cable, 'up')
    // Like any machine with a router: else nothing would know where multicast goes.
    await within('route', 'add', 'default', 'dev', cable)
    const starts = (args: string[]) =>
      spawn(ip, ['netns', 'exec', name, process.execPath, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    return {
      name,
      address,
      starts,
      takes: async (another) => void (await within('address', 'add', `${another}/24`, 'dev', cable)),
      async does(order) {
        const args = ['netns', 'exec', name, process.execPath, client, JSON.stringify(order)]
        return JSON.parse((await run(ip, args, { timeout: 20_000 })).stdout)
      },
    }
  }
  return {
    here: await build(here, end, '10.77.0.1'),
    there: await build(there, otherEnd, '10.77.0.2'),
    end: async () => {
      for (const name of names) await run(ip, ['netns', 'del', name])
    },
  }
}

/** A server as a person starts it, and what it has printed so far. */
export interface LanServer {
  lines: string[]
  problems: string[]
  setupToken: string
  stop(): Promise<number | null>
}

export async function startLanServer(machine: Machine, directory: string, port: number): Promise<LanServer> {
  const args = [program, 'serve', '--json', '--lan', '--port', String(port), '--data-dir', directory]
  const child = machine.starts([...args, '--log-file', join(directory, 'log')])
  if (!child.stdout || !child.stderr) throw new Error('a child without output')
  const lines: string[] = []
  const problems: string[] = []
  createInterface(child.stderr).on('line', (line) => problems.push(line))
  const output = createInterface(child.stdout)
  output.on('line', (line) => lines.push(line))
  const ended = once(child, 'exit')
  while (lines.length < 2) {
    const early = await Promise.race([once(output, 'line'), ended.then(() => 'ended' as const)])
    if (early === 'ended') throw new Error(`the server ended: ${problems.join('\n')}`)
  }
  const { token }: { token: string } = JSON.parse(lines[1] ?? '')
  return {
    lines,
    problems,
    setupToken: token,
    async stop() {
      if (child.exitCode !== null) return child.exitCode
      child.kill('SIGTERM')
      await ended
      return child.exitCode
    },
  }
}
