import { BlockList } from 'node:net'
import { expect, test } from 'vitest'
import { normalNetwork } from '../../api/networks.ts'
import { settingCalls } from '../../api/settings.ts'

test.each([
  ['192.168.1.7', '192.168.1.7'],
  [' 192.168.1.7/32 ', '192.168.1.7'],
  ['192.168.1.7/24', '192.168.1.0/24'],
  ['172.31.255.255/12', '172.16.0.0/12'],
  ['10.255.3.4/13', '10.248.0.0/13'],
  ['1.2.3.4/0', '0.0.0.0/0'],
  ['FD00:0:0::0001', 'fd00::1'],
  ['fd00::1/128', 'fd00::1'],
  ['fe80::1:2:3:4/64', 'fe80::/64'],
  ['2001:DB8:ffff::/33', '2001:db8:8000::/33'],
  ['::1', '::1'],
  ['::/0', '::/0'],
  ['1:2:3:4:5:6:7:8/20', '1::/20'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
])('%s is written as %s', (typed, written) => {
  expect(normalNetwork(typed)).toBe(written)
  expect(normalNetwork(written)).toBe(written)
})

test.each([
  '',
  'localhost',
  '192.168.1',
  '192.168.1.256',
  '192.168.01.1',
  '0x7f.0.0.1',
  '192.168.1.0/33',
  '192.168.1.0/',
  '192.168.1.0/-1',
  '192.168.1.0/24/8',
  '192.168.1.0-192.168.1.9',
  'fd00::1/129',
  'fe80::1%eth0',
  'fd00::1::2',
  '[::1]',
  '::ffff:10.0.0.1',
  '::ffff:a00:1/104',
  '1:2:3:4:5:6:7',
  '12345::',
  '1::/64]@evil.test/[::1',
])('%s is no network', (typed) => expect(normalNetwork(typed)).toBeUndefined())

test('what is written holds the same addresses as what was typed', () => {
  for (let round = 0; round < 300; round += 1) {
    const byte = () => Math.floor(Math.random() * 256)
    const address = () => [byte(), byte(), byte(), byte()].join('.')
    const [network, bits] = [address(), Math.floor(Math.random() * 31) + 1]
    const [written = '', prefix = '32'] = normalNetwork(`${network}/${bits}`)?.split('/') ?? []
    const lists = [new BlockList(), new BlockList()] as const
    lists[0].addSubnet(network, bits)
    lists[1].addSubnet(written, Number(prefix))
    for (const one of [network, written, address(), network.replace(/\d+$/, '255'), network.replace(/^\d+/, '9')])
      expect(lists[1].check(one), `${one} in ${network}/${bits}`).toBe(lists[0].check(one))
  }
})

test('the settings take at most fifty, each once, in one spelling', () => {
  const parse = (admin_networks: unknown) => settingCalls.change.body.safeParse({ admin_networks })
  expect(parse(['10.1.2.3/8', '10.0.0.0/8', 'FD00::/8']).data).toEqual({ admin_networks: ['10.0.0.0/8', 'fd00::/8'] })
  const many = (length: number) => Array.from({ length }, (_, n) => `10.0.0.${n}`)
  expect([many(50), many(51), ['10.0.0.0/40'], [''], '10.0.0.1', null].map((one) => parse(one).success)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
  ])
})
