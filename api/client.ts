import type { AxiosInstance } from 'axios'
import type { Answered, Arguments, Endpoint, SurroundingCode, Table } from './endpoint.ts'
import { type DataOf, ERROR_STATUS, type ErrorCode } from './errors.ts'

/** A refusal as a value: `code` is a closed union, so a page that forgets one does not compile. */
export type Refused<C extends ErrorCode = ErrorCode> = {
  [K in C]: { code: K; message: string; data: DataOf<K> | undefined; status: number; requestId: string | undefined }
}[C]

export type Outcome<T, C extends ErrorCode = ErrorCode> = { ok: true; data: T } | { ok: false; error: Refused<C> }

export type CodesOf<E extends Endpoint> = E['errors'][number] | SurroundingCode | 'UNREACHABLE'

/** An entry that answers by a file or by events is opened at its address; the others are called. */
type Call<E extends Endpoint> = E extends { answers: string } ? (args?: Partial<Arguments<E>>) => string : JsonCall<E>

type JsonCall<E extends Endpoint> =
  Partial<Arguments<E>> extends Arguments<E>
    ? (args?: Arguments<E>, options?: CallOptions) => Promise<Outcome<Answered<E>, CodesOf<E>>>
    : (args: Arguments<E>, options?: CallOptions) => Promise<Outcome<Answered<E>, CodesOf<E>>>

export type Client<T extends Table> = { [A in keyof T]: { [N in keyof T[A]]: Call<T[A][N]> } }

export interface CallOptions {
  signal?: AbortSignal
}

interface LooseArguments {
  params?: Record<string, unknown>
  query?: Record<string, unknown>
  body?: unknown
}

/**
 * The typed client: one function for each entry of the table, `client.auth.login({ body })`.
 * It never throws: a refusal and an unreachable server are values.
 */
export function createClient<const T extends Table>(table: T, http: AxiosInstance): Client<T> {
  const areas = Object.entries(table).map(([area, entries]) => [
    area,
    Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => [name, entry.answers ? addressOf(entry) : callOf(entry, http)]),
    ),
  ])
  return Object.fromEntries(areas) as Client<T>
}

function callOf(entry: Endpoint, http: AxiosInstance) {
  return async (args: LooseArguments = {}, options: CallOptions = {}): Promise<Outcome<unknown>> => {
    // Where everything in the body may be left out, all of it may be.
    const body = args.body ?? (entry.body ? {} : undefined)
    try {
      const answer = await http.request({
        method: entry.method,
        url: fillPath(entry.path, args.params ?? {}),
        ...(args.query ? { params: args.query } : {}),
        ...(body === undefined ? {} : { data: body, headers: { 'Content-Type': 'application/json' } }),
        validateStatus: () => true,
        ...(options.signal ? { signal: options.signal } : {}),
      })
      return outcomeOf(answer.data, answer.status, headerText(answer.headers['x-request-id']))
    } catch {
      return refused('UNREACHABLE', '', undefined, 0, undefined)
    }
  }
}

function addressOf(entry: Endpoint) {
  return ({ params = {}, query = {} }: LooseArguments = {}): string => {
    const said = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
    const search = new URLSearchParams(said).toString()
    return `${fillPath(entry.path, params)}${search && `?${search}`}`
  }
}

function fillPath(path: string, params: Record<string, unknown>): string {
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])))
}

function outcomeOf(envelope: unknown, status: number, requestId: string | undefined): Outcome<unknown> {
  if (isRecord(envelope) && envelope['status'] === 'ok') return { ok: true, data: envelope['data'] }
  if (isRecord(envelope) && isErrorCode(envelope['error'])) {
    return refused(envelope['error'], String(envelope['message'] ?? ''), envelope['error_data'], status, requestId)
  }
  return refused('INTERNAL', '', undefined, status, requestId)
}

function refused(
  code: ErrorCode,
  message: string,
  data: unknown,
  status: number,
  requestId: string | undefined,
): Outcome<never> {
  return { ok: false, error: { code, message, data, status, requestId } as Refused }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_STATUS, value)
}

function headerText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
