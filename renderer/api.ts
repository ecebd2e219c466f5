import axios from 'axios'
import { createClient } from '../api/client.ts'
import { ERROR_STATUS, type ErrorCode } from '../api/errors.ts'
import { table } from '../api/index.ts'

/** The only place that knows axios. Same origin, cookie session; answers are values and never throw. */
const http = axios.create({ timeout: 30_000 })

type Listener = (code: ErrorCode) => void
const listeners = new Set<Listener>()

/** Hears every refusal that comes back, whoever called: how an ended session or a lost server is noticed. */
export function watchRefusals(listener: Listener): void {
  listeners.add(listener)
}

export function speak(language: string): void {
  http.defaults.headers.common['Accept-Language'] = language
}

http.interceptors.response.use(
  (answer) => {
    const code = codeOf(answer.data)
    if (code) for (const listener of listeners) listener(code)
    return answer
  },
  (fault: unknown) => {
    if (!axios.isCancel(fault)) for (const listener of listeners) listener('UNREACHABLE')
    return Promise.reject(fault)
  },
)

function codeOf(envelope: unknown): ErrorCode | undefined {
  if (typeof envelope !== 'object' || envelope === null || !('error' in envelope)) return undefined
  const { error } = envelope
  return isErrorCode(error) ? error : undefined
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_STATUS, value)
}

export const client = createClient(table, http)

/** For a last word while the page is being left: the browser carries it on without the page. */
export const parting = createClient(table, axios.create({ adapter: 'fetch', fetchOptions: { keepalive: true } }))
