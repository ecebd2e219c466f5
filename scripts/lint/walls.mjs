// The walls of the house (ARCHITECTURE.md): what each folder may import. The most specific entry that holds a file counts.
//
//   may     what it may import: `api/` a folder or file of the project, `node:` any built-in, else a package name (`*` as a suffix)
//   types   what it may import as types only, in addition
//   never   for places that may import anything but this

/** @typedef {{ place: string, may?: string[], types?: string[], never?: string[] }} Wall */

const tooling = ['test/', 'bench/', 'scripts/']
const page = ['vue', 'pinia', 'vue-router', 'vue-i18n', 'vuetify', '@mdi/*', 'uqr', 'bowser', 'papaparse', 'axios']
const port = ['server/storage/port.ts', 'server/storage/port/']
const databases = ['kysely', 'sql.js', 'pg', 'pg-*']
const koa = ['koa', 'koa-*', '@koa/*', '@types/koa']
const backups = ['age-encryption', 'tar-stream']
const atproto = ['@atproto/*', '@atproto-labs/*']
const certificates = ['@peculiar/*', 'core-js/*']
const hashing = ['@node-rs/*', 'bcryptjs', 'jsonwebtoken', 'otpauth', '@zxcvbn-ts/*']

/** @type {Wall} */
const http = {
  place: 'server/http/',
  may: [
    'node:',
    ...koa,
    'negotiator',
    'raw-body',
    'zod',
    'api/',
    'server/handlers/index.ts',
    'server/domain/',
    'server/address-list.ts',
    'server/http/',
  ],
  types: ['pino', 'server/deps.ts', 'server/call.ts', 'server/config.ts', 'server/log.ts', ...port],
}

/** @type {Wall[]} */
export const walls = [
  { place: 'api/', may: ['api/', 'zod'], types: ['axios'] },
  {
    place: 'server/',
    never: [
      'electron',
      ...page,
      ...koa,
      ...databases,
      ...backups,
      ...atproto,
      ...certificates,
      '@homebridge/*',
      'electron/',
      'renderer/',
      ...tooling,
    ],
  },
  {
    place: 'server/lan/',
    may: [
      'node:',
      ...certificates,
      '@homebridge/ciao',
      'server/address-list.ts',
      'server/sync-directory.ts',
      'server/lan/',
    ],
    types: ['api/', 'pino', 'server/config.ts', 'server/log.ts'],
  },
  {
    place: 'server/backup/',
    may: ['node:', ...backups, 'zod', 'server/'],
  },
  { place: 'server/atproto/', may: ['node:', ...atproto, 'server/atproto/', 'server/domain/'], types: port },
  { place: 'server/domain/', may: ['server/domain/', 'api/', 'node:crypto', ...hashing], types: port },
  { place: 'server/handlers/', may: ['api/', 'server/domain/'], types: ['server/deps.ts', 'server/call.ts', ...port] },
  { place: 'server/handlers/index.ts', may: ['api/', 'server/handlers/'], types: ['server/call.ts'] },
  http,
  { ...http, place: 'server/app.ts', may: [...(http.may ?? []), 'server/app.ts'] },
  {
    place: 'server/storage/',
    may: ['node:', ...databases, 'server/storage/'],
    types: ['api/', 'server/log.ts', 'pino'],
  },
  {
    place: 'electron/',
    may: ['node:', 'zod', 'electron/', 'api/', 'server/embedded.ts'],
    types: ['electron', 'server/start.ts'],
  },
  // Where Electron itself comes in, and where the command line of the packaged program is reached.
  {
    place: 'electron/main.ts',
    may: ['node:', 'electron', 'electron-updater', 'electron/', 'api/', 'server/embedded.ts', 'server/cli/run.ts'],
  },
  { place: 'electron/preload.ts', may: ['electron'] },
  { place: 'renderer/', may: [...page, 'renderer/', 'api/'] },
]
