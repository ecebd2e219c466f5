import { EventEmitter } from 'node:events'
import type { BrowserWindow } from 'electron'
import { expect, test } from 'vitest'
import { createConsoleWindow } from '../../electron/console-window.ts'
import type { WindowState } from '../../electron/window-state.ts'

const URL = 'http://127.0.0.1:8787'

/** A window that notes what is done to it. */
class WindowDouble extends EventEmitter {
  readonly done: string[] = []
  readonly webContents = Object.assign(new EventEmitter(), { id: 5, setWindowOpenHandler: () => {} })
  async loadURL(url: string): Promise<void> {
    this.done.push(`load ${url.replace(URL, '')}`)
  }
  isMinimized = () => false
  isMaximized = () => false
  getNormalBounds = () => ({ x: 10, y: 20, width: 800, height: 600 })
  show = () => void this.done.push('show')
  focus = () => {}
  hide = () => void this.done.push('hide')
  destroy(): void {
    this.done.push('destroy')
    this.emit('closed')
  }
}

function buildWindow() {
  const doubles: WindowDouble[] = []
  const saved: WindowState[] = []
  const state = { quitting: false, now: 0, hidden: 0 }
  const window = createConsoleWindow({
    create: () => {
      const double = new WindowDouble()
      doubles.push(double)
      return double as unknown as BrowserWindow
    },
    preload: '/preload.cjs',
    icon: undefined,
    areas: () => [{ x: 0, y: 0, width: 1440, height: 900 }],
    saved: () => undefined,
    save: (one) => saved.push(one),
    origin: () => URL,
    openOutside: () => {},
    isQuitting: () => state.quitting,
    hidden: () => (state.hidden += 1),
    now: () => state.now,
  })
  const close = () => {
    let prevented = false
    doubles.at(-1)?.emit('close', { preventDefault: () => (prevented = true) })
    return prevented
  }
  const die = () => doubles.at(-1)?.webContents.emit('render-process-gone', {}, { reason: 'crashed' })
  return { window, doubles, saved, state, close, die }
}

test('closing hides it and remembers where it was; when the program ends it closes', () => {
  const { window, doubles, saved, state, close } = buildWindow()
  window.show(`${URL}/`)
  doubles[0]?.emit('ready-to-show')
  expect(close()).toBe(true)
  expect(doubles[0]?.done).toEqual(['load /', 'show', 'hide'])
  expect(saved).toEqual([{ x: 10, y: 20, width: 800, height: 600, maximized: false }])
  expect(state.hidden).toBe(1)
  window.show()
  expect(doubles).toHaveLength(1)
  state.quitting = true
  expect(close()).toBe(false)
  expect(state.hidden).toBe(1)
})

test('a window that was never led anywhere is not shown blank', () => {
  const { window, doubles } = buildWindow()
  window.show()
  expect(doubles).toEqual([])
  expect(window.address()).toBeUndefined()
  window.show(`${URL}/setup#secret`)
  expect(doubles.map(({ done }) => done)).toEqual([['load /setup#secret']])
  expect(window.address()).toBe(`${URL}/setup`)
})

test('a page that died is shown anew without the secret of its address, and not again and again', () => {
  const { window, doubles, state, die } = buildWindow()
  expect(window.contents()).toBeUndefined()
  window.show(`${URL}/setup#secret`)
  die()
  expect(doubles.map(({ done }) => done)).toEqual([['load /setup#secret', 'destroy'], ['load /setup']])
  state.now = 30_000
  die()
  expect(doubles).toHaveLength(2)
  expect(window.contents()).toBeUndefined()
  window.show()
  expect(doubles).toHaveLength(3)
  expect(window.contents()).toBe(5)
})
