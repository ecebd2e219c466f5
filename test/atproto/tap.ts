// What travels between a browser and the servers that it speaks to, kept word for word.
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'

/** One question and its answer. */
export interface Exchange {
  url: string
  /** Headers and bodies of both. */
  text: string
}

/** A proxy for plain HTTP. */
export interface Tap {
  url: string
  /** What was exchanged with this origin. */
  heard(origin: string): Exchange[]
  stop(): void
}

export async function startTap(): Promise<Tap> {
  const exchanges: Exchange[] = []
  const server = createServer((asked, answer) => {
    const exchange = { url: asked.url ?? '', text: '' }
    exchanges.push(exchange)
    keep(asked, exchange)
    // Compressed, it could not be searched.
    const headers = { ...asked.headers, 'accept-encoding': 'identity' }
    const onward = request(exchange.url, { method: asked.method, headers, agent: false }, (came) => {
      keep(came, exchange)
      answer.writeHead(came.statusCode ?? 502, came.rawHeaders)
      came.pipe(answer)
    })
    onward.on('error', () => answer.destroy())
    answer.on('close', () => onward.destroy())
    asked.pipe(onward)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    heard: (origin) => exchanges.filter(({ url }) => url.startsWith(`${origin}/`)),
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function keep(message: IncomingMessage, exchange: Exchange): void {
  exchange.text += `${message.rawHeaders.join('\n')}\n\n`
  message.on('data', (part: Buffer) => (exchange.text += part.toString('latin1')))
}

/** What a provider gives to the program alone: access tokens, refresh tokens, and the private keys that go with them. */
export function providerSecretsIn(text: string): string[] {
  const tokens = text.match(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? []
  const refresh = text.match(/\bref-[\w-]{20,}/g) ?? []
  const keys = text.match(/"d"\s*:\s*"[\w-]{43}"/g) ?? []
  return [...tokens.filter(isAccessToken), ...refresh, ...keys]
}

/** What the provider sends through the browser, in the address of the callback and nowhere else. */
export function codesIn(text: string): string[] {
  return text.match(/\bcod-[\w-]{20,}/g) ?? []
}

function isAccessToken(token: string): boolean {
  return /"typ"\s*:\s*"at\+jwt"/.test(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
}
