import { describe, expect, test } from 'vitest'
import { type Guarded, guardContents, judgeNavigation, mayLoad } from '../../electron/navigation.ts'

const OURS = 'http://127.0.0.1:8787'

describe('where the window may go', () => {
  test.each([
    [`${OURS}/`, 'inside'],
    [`${OURS}/users?q=ann`, 'inside'],
    [`${OURS}/setup#secret`, 'inside'],
    [`${OURS}/api/audit/export`, 'inside'],
    ['https://example.org/help', 'outside'],
    // The sign-in of a provider belongs into the system's browser, from its first address to its last.
    [`${OURS}/api/auth/start?handle=ann.example.org`, 'outside'],
    [`${OURS}/api/auth/callback?code=1&state=2`, 'outside'],
    ['http://example.org/', 'nowhere'],
    ['http://127.0.0.1:8788/', 'nowhere'],
    ['http://localhost:8787/', 'nowhere'],
    ['http://127.0.0.1:8787@example.org/', 'nowhere'],
    ['http://ann:secret@127.0.0.1:8787/', 'nowhere'],
    ['https://ann:secret@example.org/', 'nowhere'],
    ['file:///etc/passwd', 'nowhere'],
    ['javascript:alert(1)', 'nowhere'],
    ['data:text/html,hello', 'nowhere'],
    [`blob:${OURS}/1`, 'nowhere'],
    ['latchkey://open/users', 'nowhere'],
    ['smb://example.org/share', 'nowhere'],
    ['ms-msdt:/id', 'nowhere'],
    ['about:blank', 'nowhere'],
    ['no address', 'nowhere'],
  ])('%s: %s', (target, go) => {
    expect(judgeNavigation(target, OURS).go).toBe(go)
  })

  test('while no server runs, nothing is ours', () => {
    for (const target of [`${OURS}/`, 'about:blank', 'data:text/html,x', 'blob:null/1'])
      expect(judgeNavigation(target, undefined).go, target).toBe('nowhere')
    expect(mayLoad('blob:null/1', undefined)).toBe(false)
    expect(mayLoad(`blob:${OURS}/1`, undefined)).toBe(false)
  })
})

test.each([
  [`${OURS}/assets/a.js`, true],
  ['data:image/svg+xml,x', true],
  [`blob:${OURS}/1`, true],
  ['https://example.org/a.js', false],
  ['http://127.0.0.1:9/a.js', false],
  ['blob:https://example.org/1', false],
  ['ws://127.0.0.1:8787/', false],
  ['file:///etc/passwd', false],
])('the window loads %s: %s', (target, may) => {
  expect(mayLoad(target, OURS)).toBe(may)
})

describe('a guarded window', () => {
  function buildGuarded() {
    const listeners = new Map<string, (event: never) => void>()
    let opener: ((details: { url: string }) => { action: 'deny' }) | undefined
    const contents: Guarded = {
      on: (event: string, listener: (event: never) => void) => listeners.set(event, listener),
      setWindowOpenHandler: (handler) => (opener = handler),
    }
    const outside: string[] = []
    const shown: string[] = []
    guardContents(contents, {
      origin: () => OURS,
      openOutside: (url) => outside.push(url),
      show: (url) => shown.push(url),
    })
    /** Whether it was let through. */
    const fire = (event: string, url = '', isMainFrame = true): boolean => {
      let prevented = false
      listeners.get(event)?.({ url, isMainFrame, preventDefault: () => (prevented = true) } as never)
      return !prevented
    }
    return { fire, open: (url: string) => opener?.({ url }), outside, shown }
  }

  test('stays on our own pages, and hands what is elsewhere to the browser of the system', () => {
    const { fire, outside } = buildGuarded()
    expect(fire('will-navigate', `${OURS}/users`)).toBe(true)
    expect(fire('will-navigate', 'https://example.org/')).toBe(false)
    expect(fire('will-navigate', 'http://example.org/')).toBe(false)
    expect(outside).toEqual(['https://example.org/'])
  })

  test('a redirect leads nowhere but to ourselves, and opens nothing', () => {
    const { fire, outside } = buildGuarded()
    expect(fire('will-redirect', `${OURS}/login`)).toBe(true)
    expect(fire('will-redirect', 'https://example.org/')).toBe(false)
    expect(outside).toEqual([])
  })

  test('a frame inside the page goes nowhere else; the main frame is left to its own rule', () => {
    const { fire } = buildGuarded()
    expect(fire('will-frame-navigate', 'https://example.org/', false)).toBe(false)
    expect(fire('will-frame-navigate', 'https://example.org/', true)).toBe(true)
  })

  test('opens no second window: ours is shown in the first, an address elsewhere outside, the rest not at all', () => {
    const { open, outside, shown } = buildGuarded()
    for (const url of [`${OURS}/users`, 'https://example.org/', 'file:///etc/passwd'])
      expect(open(url)).toEqual({ action: 'deny' })
    expect(shown).toEqual([`${OURS}/users`])
    expect(outside).toEqual(['https://example.org/'])
  })

  test('has no webview', () => {
    expect(buildGuarded().fire('will-attach-webview')).toBe(false)
  })
})
