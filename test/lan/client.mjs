// Runs on "the other machine": does what its argument says, as JSON, and prints what came of it, as JSON.
import { createSocket } from 'node:dgram'
import { request as plain } from 'node:http'
import { request as secure } from 'node:https'

/**
 * @typedef {object} Ask
 * @property {boolean} [tls]
 * @property {string} host
 * @property {number} port
 * @property {string} [path]
 * @property {string} [method]
 * @property {string} [name] what we call the server in the handshake
 * @property {string} [hostHeader]
 * @property {string} [ca]
 * @property {object} [body]
 * @property {Record<string, string>} [headers]
 */

/** @typedef {{ do: 'ask', asks: Ask[] } | { do: 'resolve', name: string, from: string } | { do: 'overhear', from: string }} Order */

/** @param {Ask} ask */
function send({ tls, host, port, path = '/', method = 'GET', name, hostHeader, ca, body, headers = {} }) {
  return new Promise((resolve) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const all = {
      Host: hostHeader ?? `${name ?? host}:${port}`,
      Connection: 'close',
      ...(text === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    }
    const options = { host, port, path, method, headers: all, ca, servername: name ?? '', timeout: 5000 }
    const asked = (tls ? secure : plain)(options, (answer) => {
      let content = ''
      answer.setEncoding('utf8').on('data', (part) => (content += part))
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: content }))
    })
    asked.on('error', (error) => resolve({ error: error.message }))
    asked.on('timeout', () => asked.destroy(new Error('no answer')))
    asked.end(text)
  })
}

/** A question by multicast DNS for an IPv4 address, as a simple resolver asks it. @param {string} name @param {string} from */
function resolve(name, from) {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)])
  const question = Buffer.from([0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1])
  return new Promise((done) => {
    const socket = createSocket('udp4')
    let tries = 0
    const ask = () => {
      socket.send(question, 5353, '224.0.0.251')
      if ((tries += 1) > 20) end('no answer')
    }
    const timer = setInterval(ask, 500)
    /** @param {string} answer */
    const end = (answer) => {
      clearInterval(timer)
      socket.close()
      done(answer)
    }
    socket.on('message', (packet) => end(packet.toString('hex')))
    socket.bind(0, from, () => {
      socket.setMulticastInterface(from)
      ask()
    })
  })
}

/** Hears what is said by multicast DNS until its input ends. @param {string} from */
function overhear(from) {
  /** @type {string[]} */
  const packets = []
  return new Promise((done) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    socket.on('message', (packet) => packets.push(packet.toString('hex')))
    socket.bind(5353, () => {
      socket.addMembership('224.0.0.251', from)
      process.stderr.write('listening\n')
    })
    process.stdin.resume().on('end', () => {
      socket.close()
      done(packets)
    })
  })
}

/** @type {Order} */
const order = JSON.parse(process.argv[2] ?? '')
const outcome =
  order.do === 'ask'
    ? await Promise.all(order.asks.map(send))
    : await (order.do === 'resolve' ? resolve(order.name, order.from) : overhear(order.from))
process.stdout.write(JSON.stringify(outcome))
