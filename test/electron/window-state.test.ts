import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openSettings } from '../../electron/desktop-settings.ts'
import { placeWindow } from '../../electron/window-state.ts'

const FIRST = { x: 0, y: 25, width: 1440, height: 875 }
const SECOND = { x: 1440, y: 0, width: 1920, height: 1080 }
const state = (x: number, y: number, width = 900, height = 700) => ({ x, y, width, height, maximized: false })

describe('the window comes back', () => {
  test('where it was, on either screen', () => {
    expect(placeWindow(state(100, 100), [FIRST, SECOND])).toEqual(state(100, 100))
    expect(placeWindow({ ...state(1600, 50), maximized: true }, [FIRST, SECOND])).toMatchObject({
      x: 1600,
      maximized: true,
    })
  })

  test.each([
    ['its screen is gone', state(1600, 50)],
    ['only a sliver of it is left', state(1400, 50)],
    ['its title bar is above the screen', state(100, -300)],
    ['its title bar is below the screen', state(100, 899)],
  ])('in the middle of the first screen when %s', (_why, saved) => {
    expect(placeWindow(saved, [FIRST])).toEqual({ ...state(270, 113), width: 900, height: 700 })
  })

  test('not larger than the screen, not smaller than can be used', () => {
    expect(placeWindow(state(0, 25, 4000, 3000), [FIRST])).toMatchObject({ width: 1440, height: 875 })
    expect(placeWindow(state(0, 25, 10, 10), [FIRST])).toMatchObject({ width: 420, height: 480 })
  })

  test('at first in the middle', () => {
    expect(placeWindow(undefined, [FIRST])).toEqual({ x: 130, y: 63, width: 1180, height: 800, maximized: false })
  })
})

describe('what the app remembers', () => {
  test('survives, and a damaged file or field costs only itself', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'latchkey-desktop-'))
    const path = join(directory, 'desktop.json')
    const settings = await openSettings(path, () => {})
    expect(settings.current()).toMatchObject({ askBeforeUpdate: true, protectKeys: true, toldOfTray: false })
    await Promise.all([settings.change({ port: 9001 }), settings.change({ language: 'de' })])
    const again = await openSettings(path, () => {})
    expect(again.current()).toMatchObject({ port: 9001, language: 'de' })
    await writeFile(path, JSON.stringify({ port: 'many', language: 'de', window: { x: 'far' } }))
    expect((await openSettings(path, () => {})).current()).toMatchObject({ port: undefined, language: 'de' })
    await writeFile(path, '{')
    expect((await openSettings(path, () => {})).current().language).toBeUndefined()
    expect(await readFile(path, 'utf8')).toBe('{')
    await rm(directory, { recursive: true })
  })
})
