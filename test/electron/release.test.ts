import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { updateFeed, withoutEmptyKeys } from '../../scripts/desktop.mjs'

const ROOT = join(import.meta.dirname, '..', '..')
const load = createRequire(join(ROOT, 'node_modules/app-builder-lib/package.json'))

interface Step {
  name?: string
  run?: string
  env?: Record<string, string>
}

function packageJob(): { environment?: string; env?: object; steps: Step[] } {
  return load('js-yaml').load(readFileSync(join(ROOT, '.github/workflows/release.yml'), 'utf8')).jobs.package
}

describe('where a packed app looks for its updates', () => {
  test('is said by nobody but whoever packs it', async () => {
    const { getConfig } = load('app-builder-lib/out/util/config/config')
    const own = await getConfig(ROOT, join(ROOT, 'electron-builder.yml'), null)
    expect(own.publish).toBeNull()
    expect(updateFeed(undefined)).toEqual([])
    expect(updateFeed('')).toEqual([])
    // As the command line of electron-builder reads these.
    const said = Object.fromEntries(
      updateFeed('ann/key.chain').map((word) => word.replace('-c.publish.', '').split('=')),
    )
    expect(said).toEqual({ provider: 'github', owner: 'ann', repo: 'key.chain' })
    const built = await getConfig(ROOT, join(ROOT, 'electron-builder.yml'), { publish: said })
    expect(built.publish).toEqual(said)
  })

  test.each(['ann', 'https://example.org/ann/latchkey', 'ann/latchkey/more', 'ann/x --publish always'])(
    'is not %s',
    (repository) => {
      expect(() => updateFeed(repository)).toThrow('LATCHKEY_UPDATES_FROM')
    },
  )

  test('is the repository of the release itself', () => {
    const pack = packageJob().steps.find(({ name }) => name === 'Pack and sign')
    expect(pack?.env?.['LATCHKEY_UPDATES_FROM']).toBe('${{ github.repository }}')
  })
})

describe('the keys that sign', () => {
  test('are there for one step only, after everything that packages bring along was run', () => {
    const { steps, env, environment } = packageJob()
    expect(environment).toBe('release')
    expect(env).toBeUndefined()
    const withSecrets = steps.filter((step) => JSON.stringify(step).includes('secrets.'))
    expect(withSecrets.map(({ run }) => run)).toEqual(['npm run package'])
    const runs = steps.map(({ run }) => run)
    const at = runs.indexOf('npm run package')
    expect(runs.slice(0, at)).toEqual(
      expect.arrayContaining(['npm ci --include=dev --include=optional', 'npm run package -- --build-only']),
    )
  })

  test('are given to their own system only', () => {
    const env = packageJob().steps.find(({ name }) => name === 'Pack and sign')?.env ?? {}
    const secret = Object.entries(env).filter(([, value]) => value.includes('secrets.'))
    expect(secret.length).toBeGreaterThan(5)
    for (const [name, value] of secret)
      expect(value).toBe(
        `\${{ runner.os == '${name.startsWith('WIN_') ? 'Windows' : 'macOS'}' && secrets.${name} || '' }}`,
      )
  })

  test('that are not there are not handed on as empty ones', () => {
    const env = { CSC_LINK: '', WIN_CSC_LINK: '', APPLE_ID: '', CSC_KEY_PASSWORD: 'x', PATH: '', HOME: '/home/ann' }
    expect(withoutEmptyKeys(env)).toEqual({ CSC_KEY_PASSWORD: 'x', PATH: '', HOME: '/home/ann' })
  })
})
