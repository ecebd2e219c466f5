import { findLeftovers } from '../backup/places.ts'
import { type Config, createConfig } from '../config.ts'
import { start } from '../start.ts'
import { defineCommand, nothing, parse, UsageError } from './command.ts'
import { lanText } from './lan-text.ts'
import { printLine, printProblem } from './output.ts'
import { addressOf, databaseOf, levelOf, portOf, publicUrlOf, rangeOf } from './values.ts'

const OPTIONS = {
  port: { type: 'string', value: 'NUMBER', help: 'port to listen on (default 8787; 0: any free one)' },
  host: { type: 'string', value: 'ADDRESS', help: 'address to listen on (default 127.0.0.1: this machine only)' },
  lan: { type: 'boolean', help: 'be reached from the network, over TLS, whatever the setting says: see docs/lan.md' },
  'tls-cert': {
    type: 'string',
    value: 'FILE',
    help: 'a certificate (PEM) for the network, instead of our own authority',
  },
  'tls-key': { type: 'string', value: 'FILE', help: 'its key (PEM)' },
  'data-dir': { type: 'string', value: 'DIRECTORY', help: 'where database, keys and log live' },
  database: {
    type: 'string',
    value: 'URL',
    help: 'postgres://… instead of the embedded database (better: LATCHKEY_DATABASE)',
  },
  'print-login-token': {
    type: 'boolean',
    help: 'mint a startup token and print it: a way back in for a locked-out superuser',
  },
  'public-url': {
    type: 'string',
    value: 'URL',
    help: 'the address that browsers use, when a proxy stands before the server',
  },
  'trusted-proxy': {
    type: 'string',
    multiple: true,
    value: 'ADDRESS',
    help: 'a proxy (address or CIDR range) whose forwarded headers count; may be repeated',
  },
  'insecure-http': {
    type: 'boolean',
    help: 'allow sign-in over plain HTTP from other machines (shown as a red bar)',
  },
  'atproto-private': {
    type: 'boolean',
    help: 'let ATProto providers be on this machine or network, and over plain HTTP',
  },
  'atproto-plc': { type: 'string', value: 'URL', help: 'look did:plc up there instead of in the public directory' },
  'atproto-resolver': {
    type: 'string',
    value: 'URL',
    help: 'ask this server what ATProto handles mean, instead of DNS and their hosts',
  },
  'log-file': {
    type: 'string',
    value: 'FILE',
    help: 'default latchkey.log in the data directory; - for standard error',
  },
  'log-level': { type: 'string', value: 'LEVEL', help: 'debug, info, warn or error (default info)' },
  json: { type: 'boolean', help: 'print one JSON object a line: event, url, token' },
} as const

export interface ServeArguments {
  flags: { [K in keyof Config]?: Config[K] | undefined }
  json: boolean
}

export function parseServe(args: string[]): ServeArguments {
  const { values, positionals } = parse(args, OPTIONS)
  nothing(positionals)
  if ((values['tls-cert'] === undefined) !== (values['tls-key'] === undefined))
    throw new UsageError('--tls-cert and --tls-key go together.')
  return {
    json: values.json ?? false,
    flags: {
      port: portOf(values.port),
      host: values.host,
      lan: values.lan,
      tlsCert: values['tls-cert'],
      tlsKey: values['tls-key'],
      dataDirectory: values['data-dir'],
      database: databaseOf(values.database),
      publicUrl: publicUrlOf(values['public-url']),
      trustedProxies: values['trusted-proxy']?.map(rangeOf),
      printLoginToken: values['print-login-token'],
      insecureHttp: values['insecure-http'],
      atprotoPlc: addressOf('--atproto-plc', values['atproto-plc']),
      atprotoResolver: addressOf('--atproto-resolver', values['atproto-resolver']),
      atprotoPrivate: values['atproto-private'],
      logFile: values['log-file'],
      logLevel: levelOf(values['log-level']),
    },
  }
}

/** Runs a server until it is told to stop. */
export const serve = {
  ...defineCommand({
    name: 'serve',
    summary: 'start the server and print where it answers',
    options: OPTIONS,
    run: () => Promise.resolve(0),
  }),
  run: async (args: string[]): Promise<number> => {
    const { flags, json } = parseServe(args)
    const config = createConfig(flags)
    const ending = nextSignal()
    const server = await start(config)
    printLine({ event: 'ready', url: server.url }, json)
    if (server.setupToken !== undefined) {
      const url = `${server.url}/setup#${server.setupToken}`
      printLine({ event: 'setup_link', url, token: server.setupToken }, json)
    }
    if (config.printLoginToken) printLine({ event: 'startup_token', token: server.mintStartupToken() }, json)
    for (const line of lanText(server.lan())) printProblem(line)
    await tellOfLeftovers(config.dataDirectory)
    await ending
    await server.stop()
    return 0
  },
}

/** A restore that was killed leaves what is of no use, and which nobody would look for. */
async function tellOfLeftovers(directory: string): Promise<void> {
  for (const { kind, path } of await findLeftovers(directory))
    if (kind !== 'before-restore')
      printProblem(`A restore did not come to its end and left ${path}, which can be removed.`)
}

/** SIGTERM, SIGINT or SIGHUP; a second one while stopping ends the process at once, as the system does by default. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}
