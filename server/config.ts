import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a server is started with. Every value has one source: a flag, else a variable, else the default named here. */
export interface Config {
  /** Default 8787; 0 lets the system choose. */
  port: number
  /** Address to listen on. Default 127.0.0.1: this machine only. */
  host: string
  /** Where database, keys and log live. Default: the system's place for application data. */
  dataDirectory: string
  /** `postgres://…` for PostgreSQL; absent: the embedded database in the data directory. Also `LATCHKEY_DATABASE`. */
  database: string | undefined
  /** The address by which browsers reach us, when a proxy stands before us. Its host is accepted in `Host`. */
  publicUrl: string | undefined
  /** Addresses or ranges (CIDR) of proxies whose forwarded headers count. Default: none. */
  trustedProxies: readonly string[]
  /** Allow sign-in over plain HTTP from other machines; shown as a red bar. Default false. */
  insecureHttp: boolean
  /** Be reached by other machines of the network, over TLS, whatever the setting says. Default false. */
  lan: boolean
  /** Files with the certificate and its key (PEM) for the network, both or neither; absent: an authority of our own. */
  tlsCert: string | undefined
  tlsKey: string | undefined
  /** Mint a startup token at start and print it. Default false. */
  printLoginToken: boolean
  /** Where `did:plc` identifiers are looked up; absent: the public directory. Also `LATCHKEY_ATPROTO_PLC`. */
  atprotoPlc: string | undefined
  /** A server that knows what handles mean; absent: DNS, and the host that a handle names. Also `LATCHKEY_ATPROTO_RESOLVER`. */
  atprotoResolver: string | undefined
  /** Let ATProto providers be on this machine or network, and over plain HTTP. Default false; also `LATCHKEY_ATPROTO_PRIVATE=1`. */
  atprotoPrivate: boolean
  /** Where the built page is. */
  pageDirectory: string
  /** `debug`, `info`, `warn`, `error`. Default info; also `LATCHKEY_LOG_LEVEL`. */
  logLevel: string
  /** A file, or `-` for standard error. Default: `latchkey.log` in the data directory. */
  logFile: string
}

type Flags = { [K in keyof Config]?: Config[K] | undefined }

export function createConfig(flags: Flags, env: NodeJS.ProcessEnv = process.env): Config {
  // A variable that is set to nothing says nothing: as a path it would mean whatever directory we happen to be in.
  const told = (name: string) => env[name] || undefined
  const dataDirectory = resolve(flags.dataDirectory || (told('LATCHKEY_DATA_DIR') ?? defaultDataDirectory(env)))
  return {
    port: flags.port ?? 8787,
    host: flags.host ?? '127.0.0.1',
    dataDirectory,
    database: flags.database ?? told('LATCHKEY_DATABASE'),
    publicUrl: flags.publicUrl,
    trustedProxies: flags.trustedProxies ?? [],
    insecureHttp: flags.insecureHttp ?? false,
    lan: flags.lan ?? false,
    tlsCert: flags.tlsCert && resolve(flags.tlsCert),
    tlsKey: flags.tlsKey && resolve(flags.tlsKey),
    printLoginToken: flags.printLoginToken ?? false,
    atprotoPlc: flags.atprotoPlc ?? told('LATCHKEY_ATPROTO_PLC'),
    atprotoResolver: flags.atprotoResolver ?? told('LATCHKEY_ATPROTO_RESOLVER'),
    atprotoPrivate: flags.atprotoPrivate ?? env['LATCHKEY_ATPROTO_PRIVATE'] === '1',
    pageDirectory: flags.pageDirectory ?? defaultPageDirectory(),
    logLevel: flags.logLevel ?? told('LATCHKEY_LOG_LEVEL') ?? 'info',
    logFile: flags.logFile ?? told('LATCHKEY_LOG_FILE') ?? join(dataDirectory, 'latchkey.log'),
  }
}

/** The passphrase of backups, `LATCHKEY_BACKUP_PASSPHRASE`: no part of the config, so that it is handed to nobody else. */
export function backupPassphraseOf(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env['LATCHKEY_BACKUP_PASSPHRASE'] || undefined
}

function defaultDataDirectory(env: NodeJS.ProcessEnv): string {
  const home = homedir()
  if (process.platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'Latchkey')
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'Latchkey')
  return join(env['XDG_DATA_HOME'] ?? join(home, '.local', 'share'), 'latchkey')
}

/** Beside the bundle (`dist/page` beside `dist/server` or `dist/desktop`), or in `dist` when the sources run directly. */
function defaultPageDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const bundled = basename(dirname(here)) === 'dist'
  return bundled ? join(here, '..', 'page') : join(here, '..', 'dist', 'page')
}
