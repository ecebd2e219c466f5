import { expect, test } from 'vitest'
import { joinLists } from '../../scripts/update-list.mjs'

const list = (arch: string, version = '1.0.0') =>
  `version: ${version}\nfiles:\n  - url: Latchkey-${arch}.zip\n    sha512: ${arch}==\n    size: 1\npath: Latchkey-${arch}.zip\nsha512: ${arch}==\nreleaseDate: '2026-01-01'\n`

test('the lists of both architectures become one, with the first one on top', () => {
  expect(joinLists([list('arm64'), list('x64')])).toBe(
    list('arm64').replace('    size: 1\n', '    size: 1\n  - url: Latchkey-x64.zip\n    sha512: x64==\n    size: 1\n'),
  )
  expect(joinLists([list('x64')])).toBe(list('x64'))
})

test('lists of different versions are not mixed', () => {
  expect(() => joinLists([list('arm64'), list('x64', '2.0.0')])).toThrow('different versions')
  expect(() => joinLists(['version: 1\n', list('x64', '1')])).toThrow('without files')
})
