import { once } from 'node:events'
import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import { connect, Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createCrowd, type CrowdParts } from '../../server/lan/crowd.ts'
import { createDoor } from '../../server/lan/door.ts'
import { at, buildNetwork, portOf, startInNetwork } from './network.ts'
import { sendRequest } from './raw.ts'

/** Two doors into one crowd in which connections of this machine count. */
async function openDoors(limits: Partial<CrowdParts>) {
  const http = createServer((_request, response) => response.end('come in'))
  http.emit('listening')
  const crowd = createCrowd({ proxies: [], spares: () => false, ...limits })
  const take = (socket: Socket) => void http.emit('connection', socket)
  const open = async () => {
    const door = createDoor({ take, tls: () => undefined, crowd })
    onTestFinished(() => door.cutOff())
    return door.listen(0, '127.0.0.1')
  }
  onTestFinished(() => void http.close())
  return [await open(), await open()] as const
}

/** A client that says nothing. */
async function enter(port: number, localAddress = '127.0.0.1', host = '127.0.0.1') {
  const socket = connect({ port, host, localAddress })
  onTestFinished(() => void socket.destroy())
  const client = { socket, isGone: false }
  socket.on('error', () => undefined)
  socket.on('close', () => (client.isGone = true))
  await once(socket, 'connect')
  return client
}
type Client = Awaited<ReturnType<typeof enter>>

/** What it is answered; nothing, where it was put out. */
async function ask({ socket, isGone }: Client): Promise<string> {
  if (isGone) return ''
  const heard = Promise.race([once(socket, 'data').then(String), once(socket, 'close').then(() => '')])
  socket.write('GET / HTTP/1.1\r\nHost: door\r\n\r\n')
  return heard.catch(() => '')
}

test('one address gets no more than its share, over all doors, and others get in', async () => {
  const [one, other] = await openDoors({ mostFromOne: 3 })
  const greedy = [await enter(one), await enter(one), await enter(other)]
  for (const client of greedy) expect(await ask(client)).toContain('come in')
  expect(await ask(await enter(other))).toBe('')
  expect(await ask(await enter(other, '127.0.0.2'))).toContain('come in')
  greedy[0]?.socket.destroy()
  await expect.poll(async () => ask(await enter(one))).toContain('come in')
})

test('there is an end to how many get in at all', async () => {
  const [one, other] = await openDoors({ most: 2 })
  const inside = [await enter(one, '127.0.0.2'), await enter(other, '127.0.0.3')]
  for (const client of inside) expect(await ask(client)).toContain('come in')
  expect(await ask(await enter(one, '127.0.0.4'))).toBe('')
})

test('who keeps silent has to go for newcomers, the one who came first before the others; who has spoken stays', async () => {
  const [one] = await openDoors({ mostUngreeted: 2 })
  const speaker = await enter(one)
  expect(await ask(speaker)).toContain('come in')
  const first = await enter(one)
  const second = await enter(one)
  const third = await enter(one)
  await expect.poll(() => first.isGone).toBe(true)
  for (const client of [second, third, speaker]) expect(await ask(client)).toContain('come in')
})

test('this machine and the proxies that are trusted may hold as many as they like', async () => {
  const crowd = createCrowd({ proxies: ['192.168.1.2', 'fd00:1::/64'], mostFromOne: 1 })
  const from = (value: string) => crowd.enter(Object.defineProperty(new Socket(), 'remoteAddress', { value }))
  for (const spared of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '192.168.1.2', '::ffff:192.168.1.2', 'fd00:1::7'])
    expect([from(spared), from(spared)], spared).toEqual([true, true])
  for (const counted of ['192.168.1.3', 'fd00:2::7']) expect([from(counted), from(counted)]).toEqual([true, false])
  expect(from('::ffff:192.168.1.3'), 'the same address in another dress').toBe(false)
})

test('one machine of the network cannot shut out this machine itself, and is let no further than its share', async ({
  skip,
}) => {
  const own = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)?.address
  if (own === undefined) return skip('this machine is in no network')
  const server = await startInNetwork(buildNetwork(at(own)), { config: { lan: true } })
  onTestFinished(() => server.end())
  const clients = await Promise.all(Array.from({ length: 130 }, () => enter(portOf(server), own, own)))
  await expect.poll(() => clients.filter(({ isGone }) => !isGone).length).toBe(100)
  expect((await sendRequest(server.url, 'GET /api/health')).status).toBe(200)
})
