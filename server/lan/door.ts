import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import type { Crowd } from './crowd.ts'

/** The first byte of every TLS connection: a record of the handshake. No method of HTTP begins with it. */
const TLS_HANDSHAKE = 0x16

/** Milliseconds in which a connection must have said its first byte and, over TLS, finished its handshake. */
const LONGEST_GREETING = 10_000

/** Milliseconds for what is under way when a door closes. */
const LONGEST_FAREWELL = 5_000

interface DoorParts {
  /** Takes a connection of HTTP, plain or with the handshake behind it. */
  take: (socket: Socket) => void
  /** What to shake hands with; undefined while there is no certificate. Then everything counts as plain. */
  tls: () => SecureContext | undefined
  /** Those inside, by this door or another. */
  crowd: Crowd
  /** For tests. */
  longestGreeting?: number
}

/** A listener that takes TLS and plain HTTP on one port, told apart by the first byte. */
export interface Door {
  /** Resolves with the port. Rejects as `listen` of Node does. */
  listen(port: number, host: string): Promise<number>
  /** Takes no more connections from now on. Resolves when the last one is gone; what takes too long is cut off. */
  close(): Promise<void>
  /** Ends every connection that came in by here. */
  cutOff(): void
}

export function createDoor({ take, tls, crowd, longestGreeting = LONGEST_GREETING }: DoorParts): Door {
  const inside = new Set<Socket>()
  // Half-open and without delay as the HTTP server's own connections are.
  const server: NetServer = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (!crowd.enter(socket)) return void socket.destroy()
    inside.add(socket)
    socket.once('close', () => inside.delete(socket))
    greet(socket)
  })

  function greet(socket: Socket): void {
    const tooSlow = setTimeout(() => socket.destroy(), longestGreeting)
    socket.once('close', () => clearTimeout(tooSlow))
    const welcome = () => {
      clearTimeout(tooSlow)
      crowd.greeted(socket)
    }
    // Whoever goes away in the middle of it is no problem of ours.
    const leave = () => socket.destroy()
    socket.on('error', leave)
    socket.once('end', leave)
    socket.once('readable', () => {
      socket.off('end', leave)
      const first: Buffer | null = socket.read()
      if (first === null) return leave()
      socket.unshift(first)
      const context = first[0] === TLS_HANDSHAKE ? tls() : undefined
      if (context) return shakeHands(socket, context, welcome)
      welcome()
      socket.off('error', leave)
      take(socket)
    })
  }

  function shakeHands(socket: Socket, secureContext: SecureContext, welcome: () => void): void {
    // Else a peer that has gone would stay: over TLS nothing is half open.
    socket.allowHalfOpen = false
    const secure = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] })
    const leave = () => secure.destroy()
    secure.on('error', leave)
    secure.once('secure', () => {
      welcome()
      secure.off('error', leave)
      take(secure)
    })
  }

  function cutOff(): void {
    for (const socket of inside) socket.destroy()
  }

  return {
    cutOff,
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => {
          server.off('error', reject)
          server.on('error', () => undefined)
          const address = server.address()
          resolve(typeof address === 'object' && address !== null ? address.port : port)
        })
      }),
    close: async () => {
      const late = setTimeout(cutOff, LONGEST_FAREWELL)
      late.unref()
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
      clearTimeout(late)
    },
  }
}
