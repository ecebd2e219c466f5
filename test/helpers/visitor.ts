import axios, { type AxiosInstance } from 'axios'
import { type Client, createClient } from '../../api/client.ts'
import { type ApiTable, table } from '../../api/index.ts'
import type { TestServer } from './server.ts'

/** A browser's manners without a browser: keeps cookies, sends its origin. */
export interface Visitor {
  client: Client<ApiTable>
  /** For requests that the typed client would never make. */
  http: AxiosInstance
  cookies: Map<string, string>
}

export function buildVisitor(url: string, headers: Record<string, string> = {}): Visitor {
  const cookies = new Map<string, string>()
  const http = axios.create({
    baseURL: url,
    headers: { Origin: url, ...headers },
    validateStatus: () => true,
    maxRedirects: 0,
  })
  http.interceptors.request.use((config) => {
    if (cookies.size > 0 && !config.headers.has('Cookie')) {
      config.headers.set('Cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    }
    return config
  })
  http.interceptors.response.use((answer) => {
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  })
  return { client: createClient(table, http), http, cookies }
}

export const ADMIN = { username: 'ann', password: 'correct horse staple' } as const

/** A visitor signed in as the first superuser, whom this makes. */
export async function buildSuperuser(server: TestServer): Promise<Visitor> {
  const visitor = buildVisitor(server.url)
  const made = await visitor.client.auth.setup({
    body: { setup_token: server.setupToken ?? '', ...ADMIN, confirm_password: ADMIN.password },
  })
  if (!made.ok) throw new Error(`Set-up was refused: ${made.error.code}`)
  return visitor
}

/** A visitor signed in with a password. */
export async function buildSignedIn(server: TestServer, username: string, password: string): Promise<Visitor> {
  const visitor = buildVisitor(server.url)
  const result = await visitor.client.auth.login({ body: { username, password } })
  if (!result.ok) throw new Error(`Sign-in was refused: ${result.error.code}`)
  return visitor
}

/** Makes a user as this administrator and answers the id. */
export async function createUser(
  admin: Visitor,
  user: { username: string } & Parameters<Visitor['client']['users']['create']>[0]['body'],
): Promise<number> {
  return dataOf(await admin.client.users.create({ body: user })).user_id
}

/** Headers of a browser elsewhere, as a trusted TLS proxy on this machine passes them on. */
export function viaProxy(url: string, ip: string): Record<string, string> {
  return { 'X-Forwarded-For': ip, 'X-Forwarded-Proto': 'https', Origin: url.replace('http:', 'https:') }
}

/** The data of a success; a refusal fails the test with its code. */
export function dataOf<T>(outcome: { ok: true; data: T } | { ok: false; error: { code: string } }): T {
  if (!outcome.ok) throw new Error(`Refused: ${outcome.error.code}`)
  return outcome.data
}

/** The code of a refusal, or `ok`. */
export function codeOf(outcome: { ok: true } | { ok: false; error: { code: string } }): string {
  return outcome.ok ? 'ok' : outcome.error.code
}
