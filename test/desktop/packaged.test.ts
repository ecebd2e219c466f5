import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { ADMIN } from '../helpers/visitor.ts'

// The packaged program, started as people start it. Its fuses keep debuggers of Node out, so it is looked at from the side of
// its page only, through the port that Chromium opens on demand.

test('the packaged program sets up in its window, and its server runs from inside of the archive', async () => {
  const program = process.env['LATCHKEY_PACKAGED'] ?? ''
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-packaged-'))
  const port = 20_000 + (process.pid % 20_000)
  const child = spawn(program, ['--data-dir', directory, `--remote-debugging-port=${port}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    const connect = () => chromium.connectOverCDP(`http://127.0.0.1:${port}`).catch(() => undefined)
    await expect.poll(connect, { timeout: 45_000, interval: 500 }).toBeDefined()
    const browser = await connect()
    const pageOf = () => browser?.contexts().flatMap((context) => context.pages())[0]
    await expect.poll(() => pageOf()?.url(), { timeout: 30_000 }).toMatch(/\/setup/)
    const page = pageOf()
    if (!page) throw new Error('There is no window.')
    await page.locator('input[name=username]').fill(ADMIN.username)
    for (const field of await page.locator('input[type=password]').all()) await field.fill(ADMIN.password)
    await page.locator('button[type=submit]').click()
    await page.waitForURL((url) => url.pathname === '/')
    expect(await page.evaluate(() => typeof Reflect.get(window, 'latchkey'))).toBe('object')
    await browser?.close()
  } finally {
    child.kill('SIGTERM')
    await ended
  }
  expect(await readFile(join(directory, 'latchkey.log'), 'utf8')).toContain('"event":"started"')
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
})
