import { expect, test } from 'vitest'
import { hostsOf, isHandle, plainHandle, suggestHandles, withHandle } from '../../renderer/handles.ts'

test('a handle is taken as people write it and as it is copied', () => {
  expect(plainHandle('  @Alice.Example.COM ')).toBe('alice.example.com')
  expect(plainHandle('\u202aalice.example.com\u202c')).toBe('alice.example.com')
  expect(plainHandle('did:plc:abc')).toBe('did:plc:abc')
})

test('what cannot be a handle is told before anything is asked', () => {
  for (const sound of ['alice.example.com', '@a.b', 'xn--bcher-kva.example', 'did:plc:z72i7hdynmk6r22z27h6tvur'])
    expect(isHandle(sound), sound).toBe(true)
  for (const faulty of ['', 'alice', 'alice.', '.alice', 'a..b', '-a.b', 'al ice@x.y', `${'a.'.repeat(130)}b`])
    expect(isHandle(faulty), faulty).toBe(false)
})

test('suggestions: used before, then the name at each known host, five at the most', () => {
  const used = ['alice.example.com', 'bob.example.com']
  const hosts = ['bsky.social', 'pds.example.org']
  expect(suggestHandles('', used, hosts)).toEqual(used)
  expect(suggestHandles('@Al', used, hosts)).toEqual(['alice.example.com', 'al.bsky.social', 'al.pds.example.org'])
  expect(suggestHandles('alice.ex', used, hosts)).toEqual(['alice.example.com'])
  expect(suggestHandles('alice.example.com', used, hosts)).toEqual([])
  expect(suggestHandles('not a name!', used, hosts)).toEqual([])
  expect(suggestHandles('al', used, ['a.b', 'c.d', 'e.f', 'g.h', 'i.j'])).toHaveLength(5)
})

test('hosts are those of the providers; what is no address is left out', () => {
  expect(hostsOf([{ url: 'https://bsky.social' }, { url: 'http://localhost:2583' }, { url: 'nonsense' }])).toEqual([
    'bsky.social',
    'localhost',
  ])
})

test('the handle used last stands first, each once, five in all', () => {
  expect(withHandle(['a.b', 'c.d'], 'c.d')).toEqual(['c.d', 'a.b'])
  expect(withHandle(['1.x', '2.x', '3.x', '4.x', '5.x'], '6.x')).toEqual(['6.x', '1.x', '2.x', '3.x', '4.x'])
})
