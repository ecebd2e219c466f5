import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DESKTOP_TEXTS } from '../../electron/texts.ts'
import { buildDesktop, type DesktopOptions, findItem } from '../helpers/desktop-app.ts'
import { buildVisitor, dataOf } from '../helpers/visitor.ts'

// The whole app with its real server process; of Electron there are doubles that note what was asked of them.

const texts = DESKTOP_TEXTS.en
let directory: string
const ends: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-desktop-'))
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await rm(directory, { recursive: true, force: true })
})

async function buildApp(options: DesktopOptions = {}) {
  const app = await buildDesktop(directory, options)
  ends.push(app.end)
  return app
}

async function setUp(url: string): Promise<void> {
  const [address = '', setup_token = ''] = url.split('/setup#')
  const password = 'correct horse staple'
  const body = { setup_token, username: 'ann', password, confirm_password: password }
  dataOf(await buildVisitor(address).client.auth.setup({ body }))
}

describe('the desktop app', () => {
  test('its first start opens the set-up, already holding its token; its menu mints a startup token for a person', async () => {
    const { desktop, seen, origin, press, call, end } = await buildApp({ answers: [texts.signInHere] })
    await desktop.begin()
    expect(seen.urls).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/setup#[\w-]{43}$/)])
    await setUp(seen.urls[0] ?? '')
    await expect.poll(() => findItem(seen.tray, origin() ?? '')).toBeDefined()

    press(seen.menu, texts.newStartupToken)
    await expect.poll(() => seen.urls.length).toBe(2)
    const [dialog] = seen.dialogs
    expect(dialog?.buttons).toEqual([texts.copy, texts.signInHere, texts.close])
    expect(seen.forgotten).toEqual([origin()])
    const token = seen.urls[1]?.split('/login#startup_token=')[1] ?? ''
    expect(dialog?.detail.split('\n')[0]).toBe(token)
    const signedIn = await buildVisitor(origin() ?? '').client.auth.login({
      body: { login_type: 'temporary_token', temporary_token: token },
    })
    expect(dataOf(signedIn).username).toBe('ann')

    expect(await call('info')).toMatchObject({ version: '1.2.3', keys: 'file', updates: 'none' })
    await call('speak', 'ru')
    expect(findItem(seen.menu, DESKTOP_TEXTS.ru.settings)).toBeDefined()
    await call('openInBrowser', '/account')
    expect(seen.outside).toEqual([`${origin()}/account`])
    await call('openLog')
    expect(seen.paths).toEqual([join(directory, 'data', 'latchkey.log')])
    // No secret reached the app's own log, and it is said that the keyring is a file.
    expect(seen.log.join()).not.toContain(token)
    expect(seen.log.join()).toContain('No key store')
    await end()
    expect(() => process.kill(seen.pids[0] ?? 0, 0)).toThrow()
  })

  test('links open pages of ours and nothing else; closing tells once that it goes on', async () => {
    const { desktop, seen, origin, hooks } = await buildApp({ link: 'latchkey://open/setup' })
    desktop.again('latchkey://open/users')
    expect(seen.urls).toEqual([])
    await desktop.begin()
    await setUp(seen.urls[0] ?? '')
    desktop.again('latchkey://open/users')
    desktop.again('latchkey://open/login#startup_token=x')
    desktop.again(undefined)
    expect(seen.urls.slice(1)).toEqual([`${origin()}/users`])
    hooks()?.hidden()
    hooks()?.hidden()
    expect(seen.told).toEqual([texts.trayTitle])
  })

  test('a server that died is shown with a way to its log and to start it again, at the same address', async () => {
    const { desktop, seen, origin, call } = await buildApp({ answers: [texts.openLog, texts.restart] })
    await desktop.begin()
    const before = origin()
    process.kill(seen.pids[0] ?? 0, 'SIGKILL')
    await expect.poll(() => seen.pids.length).toBe(2)
    await expect.poll(() => origin()).toBe(before)
    expect(seen.dialogs.map(({ message }) => message)).toEqual([texts.crashTitle, texts.crashTitle])
    expect(seen.paths).toEqual([join(directory, 'data', 'latchkey.log')])
    // One that runs is not started a second time, whoever asks.
    await call('restartServer')
    expect(seen.pids).toHaveLength(2)
  })

  test('is not restarted unasked; the page may ask', async () => {
    const { desktop, seen, origin, call } = await buildApp({ answers: [texts.close] })
    await desktop.begin()
    const before = origin()
    process.kill(seen.pids[0] ?? 0, 'SIGKILL')
    await expect.poll(() => seen.dialogs.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(seen.pids).toHaveLength(1)
    expect(findItem(seen.tray, texts.stopped)).toBeDefined()
    // Nothing is ours meanwhile: another program could have taken the port.
    expect(origin()).toBeUndefined()
    await expect(call('restartServer')).resolves.toEqual({})
    expect(origin()).toBe(before)
  })

  test('where the port is taken it takes another and keeps it; where the directory is held it says so', async () => {
    const first = await buildApp()
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(first.settings.current().port, '127.0.0.1', resolve))
    ends.push(() => new Promise((resolve) => taken.close(resolve)))
    const wanted = first.settings.current().port
    await first.desktop.begin()
    expect(first.settings.current().port).not.toBe(wanted)
    expect(first.origin()).toBe(`http://127.0.0.1:${first.settings.current().port}`)

    const second = await buildApp({ name: 'second', answers: [texts.retry, texts.quit] })
    await second.desktop.begin()
    expect(second.seen.dialogs.map(({ message }) => message)).toEqual([texts.lockedTitle, texts.lockedTitle])
    expect(second.seen.quits).toBe(1)
    expect(second.seen.urls).toEqual([])
  })
})
