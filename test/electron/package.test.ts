import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { extractAll, listPackage } from '@electron/asar'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FUSES, readFuses } from '../../scripts/fuses.mjs'
import { icnsOf, icoOf } from '../../scripts/icon-files.mjs'
import { createServerKeeper } from '../../electron/server-keeper.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { forkServer } from '../helpers/forked-server.ts'
import { makeStandInElectron } from '../helpers/stand-in-electron.ts'

// The package as electron-builder makes it, around a folder that only stands in for Electron: everything about it can be
// proved but that Electron runs it, which `npm run test:desktop` does where the program is to be had.

const ROOT = join(import.meta.dirname, '..', '..')
const ELECTRON = JSON.parse(readFileSync(join(ROOT, 'node_modules/electron/package.json'), 'utf8')).version
const LARGEST = 8_000_000
let directory: string
let inside: string[] = []
const UNPACKED = process.arch === 'x64' ? 'linux-unpacked' : `linux-${process.arch}-unpacked`
const packed = (...parts: string[]) => join(directory, 'release', UNPACKED, ...parts)
const archive = () => packed('resources', 'app.asar')
const extracted = (...parts: string[]) => join(directory, 'app', ...parts)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-package-'))
  const standIn = join(directory, 'electron')
  await makeStandInElectron(standIn, ELECTRON)
  await runBuilder(standIn, join(directory, 'release'))
  inside = listPackage(archive(), { isPack: false }).map((path) => path.replaceAll('\\', '/'))
  extractAll(archive(), extracted())
}, 120_000)
afterAll(() => rm(directory, { recursive: true, force: true }))

async function runBuilder(electronDist: string, output: string): Promise<void> {
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'node_modules/electron-builder/cli.js'),
      ...['--linux', 'dir', `--${process.arch}`, '--publish', 'never'],
      ...[`-c.electronDist=${electronDist}`, `-c.directories.output=${output}`],
    ],
    // What electron-builder would guess a place for updates by.
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, GITHUB_TOKEN: 'x' } },
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`electron-builder failed (${code}):\n${said.slice(-3000)}`)
}

describe('the package', () => {
  test('has every fuse as stated, read back from the program', async () => {
    expect(await readFuses(packed('latchkey'))).toEqual(FUSES)
    expect(FUSES).toMatchObject({
      RunAsNode: false,
      OnlyLoadAppFromAsar: true,
      EnableEmbeddedAsarIntegrityValidation: true,
    })
  })

  test('holds what runs, and nothing else', async () => {
    const tops = new Set(inside.map((path) => path.split('/')[1]))
    expect([...tops].sort()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json', 'packaging'])
    const modules = inside.flatMap((path) => /^\/node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1] ?? [])
    const kinds = new Set(modules.map((name) => name.replace(/-(linux|darwin|win32)-.*$/, '')))
    expect([...kinds].filter((name) => name !== '@node-rs').sort()).toEqual([
      '@node-rs/argon2',
      '@node-rs/bcrypt',
      'sql.js',
    ])
    expect(
      inside.filter((path) =>
        /\.(map|ts|tsbuildinfo|md)$|\.test\.|^\/(test|bench|scripts|renderer|server|electron)\//.test(path),
      ),
    ).toEqual([])
    expect((await stat(archive())).size).toBeLessThan(LARGEST)
  })

  test('carries no source map and no path of the machine it was built on', async () => {
    for (const path of inside.filter((name) => name.startsWith('/dist/') && /\.(c?js|css|html)$/.test(name))) {
      const text = await readFile(extracted(path), 'utf8')
      // (A library that reads such maps has the words inside of its code.)
      expect(/^\/[/*]# sourceMappingURL=/m.test(text), path).toBe(false)
      expect(text.includes(ROOT), path).toBe(false)
    }
  })

  test('names what it is, and keeps development to itself', async () => {
    const manifest = JSON.parse(await readFile(extracted('package.json'), 'utf8'))
    expect(manifest).toMatchObject({
      name: 'latchkey',
      productName: 'Latchkey',
      main: 'dist/desktop/main.js',
      type: 'module',
    })
    expect(manifest).not.toHaveProperty('devDependencies')
    expect(manifest).not.toHaveProperty('scripts')
    expect(inside).toContain('/dist/desktop/main.js')
    expect(inside).toContain('/dist/preload/preload.cjs')
  })

  test('names no place for updates while nobody has, although it is built in a repository', async () => {
    expect(await readdir(packed('resources'))).not.toContain('app-update.yml')
  })

  test('keeps native code outside of the archive, as real files, and only that', async () => {
    const unpacked = await readdir(packed('resources', 'app.asar.unpacked'), { recursive: true, withFileTypes: true })
    const files = unpacked.filter((entry) => entry.isFile()).map(({ name }) => name)
    expect(files.filter((name) => name.endsWith('.node'))).toHaveLength(2)
    expect(files.filter((name) => !/\.node$|^package\.json$/.test(name))).toEqual([])
  })

  test('its programs of worker threads lie beside the server that starts them', async () => {
    const workers = await readdir(join(ROOT, 'server'), { recursive: true })
    const names = workers.flatMap((path) => /([\w-]+-worker)\.ts$/.exec(path)?.[1] ?? [])
    expect(names).toContain('checkpoint-worker')
    for (const name of names) expect(inside).toContain(`/dist/desktop/${name}.js`)
  })

  test('serves from what is inside it: set-up, and sign-in in a real browser', async () => {
    const keeper = createServerKeeper({
      fork: () => forkServer(extracted('dist', 'desktop', 'server-process.js')),
      keep: async (_act, bytes) => bytes,
      placed: () => {},
      crashed: () => {},
    })
    const browser = await launchChromium()
    try {
      const { url, setupToken } = await keeper.start({ port: 0, dataDirectory: join(directory, 'data'), keys: 'plain' })
      const page = await browser.newPage({ locale: 'en-GB' })
      await page.goto(`${url}/setup#${setupToken}`)
      await page.getByLabel(/user name/i).fill('ann')
      for (const field of await page.locator('input[type=password]').all()) await field.fill('correct horse staple')
      await page.getByRole('button', { name: /create|set up/i }).click()
      await page.waitForURL(`${url}/`)
      const other = await browser.newPage({ locale: 'en-GB' })
      await other.goto(`${url}/login`)
      await other.getByLabel(/user name/i).fill('ann')
      await other.locator('input[type=password]').first().fill('correct horse staple')
      await other.getByRole('button', { name: /^sign in$/i }).click()
      await other.waitForURL(`${url}/`)
    } finally {
      await browser.close()
      await keeper.stop()
    }
  }, 60_000)
})

describe('what the packages are made from', () => {
  const load = createRequire(join(ROOT, 'node_modules/electron-builder/package.json'))

  test('is sound for all three systems, by the schema of electron-builder', async () => {
    const { getConfig, validateConfiguration } = load('app-builder-lib/out/util/config/config')
    const { DebugLogger } = load('builder-util')
    const config = await getConfig(ROOT, join(ROOT, 'electron-builder.yml'), null)
    await validateConfiguration(config, new DebugLogger(false))
    const targets = (list: { target: string; arch: string[] }[]) =>
      list.map(({ target, arch }) => [target, ...arch].join(' '))
    expect(targets(config.win.target)).toEqual(['nsis x64 arm64', 'portable x64 arm64'])
    expect(targets(config.mac.target)).toEqual(['dmg x64 arm64', 'zip x64 arm64'])
    expect(targets(config.linux.target)).toEqual(['AppImage x64 arm64', 'deb x64 arm64', 'rpm x64 arm64'])
    expect(config.mac).toMatchObject({ hardenedRuntime: true, entitlements: 'packaging/entitlements.mac.plist' })
    expect(config.protocols).toEqual([{ name: 'Latchkey', schemes: ['latchkey'] }])
    const wrong = { ...config, asarUnpak: [] }
    await expect(validateConfiguration(wrong, new DebugLogger(false))).rejects.toThrow(/asarUnpak/)
  })

  test('states every fuse that electron-builder knows', () => {
    const scheme = JSON.parse(readFileSync(join(ROOT, 'node_modules/app-builder-lib/scheme.json'), 'utf8'))
    const stated = readFileSync(join(ROOT, 'electron-builder.yml'), 'utf8')
    for (const fuse of Object.keys(scheme.definitions.FuseOptionsV1.properties))
      expect(stated).toMatch(new RegExp(`^  ${fuse}: (true|false)$`, 'm'))
  })

  test('its icons hold every size that their systems ask for', () => {
    const ico = readFileSync(join(ROOT, 'packaging/icons/icon.ico'))
    const sizes = Array.from({ length: ico.readUInt16LE(4) }, (_, index) => ico.readUInt8(6 + 16 * index) || 256)
    expect(sizes).toEqual([16, 24, 32, 48, 64, 128, 256])
    const icns = readFileSync(join(ROOT, 'packaging/icons/icon.icns'))
    expect(icns.readUInt32BE(4)).toBe(icns.length)
    const found: string[] = []
    for (let at = 8; at < icns.length; at += icns.readUInt32BE(at + 4)) {
      const pixels = icns.readUInt32BE(at + 8 + 16)
      found.push(`${icns.toString('latin1', at, at + 4)} ${pixels}`)
    }
    expect(found).toEqual([
      'ic11 32',
      'ic12 64',
      'ic07 128',
      'ic13 256',
      'ic08 256',
      'ic14 512',
      'ic09 512',
      'ic10 1024',
    ])
    // The containers are read as they are written.
    expect(icoOf([{ size: 256, png: Buffer.from('x') }]).readUInt32LE(18)).toBe(22)
    expect(icnsOf([{ size: 64, png: Buffer.from('x') }]).length).toBe(17)
  })
})
