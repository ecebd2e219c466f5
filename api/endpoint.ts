import type { z } from 'zod'
import type { ErrorCode } from './errors.ts'
import type { Permission } from './permissions.ts'

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/**
 * Who may call.
 * - `public`: anybody
 * - `session`: whoever is signed in, by session or developer token
 * - `browser`: whoever is signed in by session; developer tokens are refused
 * - a permission: a session whose user holds it, or a superuser's
 * - `superuser`: a superuser's session
 */
export type Auth = 'public' | 'session' | 'browser' | Permission | 'superuser'

/** How the guards of an entry that acts on somebody's account differ from the strictest. */
export interface Target {
  /** `allowed`: everybody may do it to himself. Absent: nobody may, whatever his rights. */
  self?: 'allowed'
  /** `target_first`: who may not touch the target learns so before the body is read. Absent: the body is judged first. */
  order?: 'target_first'
}

/**
 * One call of the interface, as plain data. The router, the client, OpenAPI, the limits and the tests all walk
 * these entries. Every optional field that guards something is at its strictest when absent.
 */
export interface Endpoint {
  method: Method
  /** Koa style: `/api/v2/users/:id`. */
  path: string
  summary: string
  /** Absent: `superuser`. */
  auth?: Auth
  /**
   * Usable by a caller whom the gate holds, because he has to choose a password or to enrol a second factor first:
   * - `open`: always; for the ways out
   * - `password`: to choose the password, until the temporary one ends
   * - `second_factor`: to enrol, where the settings demand it, until the temporary password ends
   * - `proof`: like `second_factor`, and to prove the second factor in a session that a login token alone began
   *
   * Absent: closed.
   */
  gate?: 'open' | 'password' | 'second_factor' | 'proof'
  /** `open`: usable while the caller's ATProto grant lacks a required scope. Absent: closed. */
  scope?: 'open'
  /**
   * - `credential`: failures count per address and may cool it down; few calls of one address run at once
   * - `address`: like it, but calls do not wait for each other, because they wait for strangers, who may be slow
   *
   * Absent: `credential`.
   */
  limit?: 'credential' | 'address' | 'none'
  /** The caller must have proved a password or code within the last 15 minutes. */
  fresh?: true
  /** Only who holds a permission has a use for it, though `auth` does not say so. */
  administers?: true
  /** Acts on the account of the user whom `:id` names. The guards judge him before the handler runs. */
  target?: Target
  params?: z.ZodType
  query?: z.ZodType
  body?: z.ZodType
  /** What a success holds; of `events`: what each event holds. */
  output: z.ZodType
  /**
   * How a success is answered. Absent: as JSON in the envelope.
   * - `file`: a download, sent as it is made
   * - `events`: server-sent events, until the caller goes or may no longer listen
   * - `redirect`: the browser is sent on; where it is a person who looks, refusals send him to the sign-in page
   * - `document`: as JSON without the envelope, in a shape that others have fixed
   */
  answers?: 'file' | 'events' | 'redirect' | 'document'
  /** Of a `redirect`: pages of others may send a browser here. Absent: only our own pages, and the person himself. */
  from_elsewhere?: true
  /** HTTP status of a success. Absent: 200. */
  status?: 201
  /** The codes of its own; those that any such entry can answer are added by `codesOf`. */
  errors: readonly ErrorCode[]
}

/** Keeps an entry's literal types while checking its shape. */
export function endpoint<const E extends Endpoint>(entry: E): E {
  return entry
}

export type Area = Record<string, Endpoint>
export type Table = Record<string, Area>

type SchemaIn<T> = T extends z.ZodType ? z.input<T> : never
type SchemaOut<T> = T extends z.ZodType ? z.output<T> : never

/** A value as a handler receives it; `undefined` where the entry takes none. */
export type Received<E extends Endpoint, K extends 'params' | 'query' | 'body'> =
  E extends Record<K, infer S> ? SchemaOut<S> : undefined

/** A download: its name, its media type and its text, part by part. */
export interface FileAnswer {
  name: string
  type: string
  parts: AsyncIterable<string>
}

/** Begins to hear events, until what it returns is called; `ended` says that there will be no more. */
export type Listening<T> = (hear: (event: T) => void, ended: () => void) => () => void

/** What a handler returns, before the output schema has parsed it. */
export type Returned<E extends Endpoint> = E extends { answers: 'file' }
  ? FileAnswer
  : E extends { answers: 'events' }
    ? Listening<z.input<E['output']>>
    : z.input<E['output']>

/** What a client gets. */
export type Answered<E extends Endpoint> = z.output<E['output']>

type Part = 'params' | 'query' | 'body'
type Passed<E extends Endpoint, K extends Part> = E extends Record<K, infer S> ? SchemaIn<S> : never
type Nothing = Record<never, never>

/** What a client passes: exactly the parts that the entry takes; one in which nothing is required may be left out. */
export type Arguments<E extends Endpoint> = {
  [K in Part as E extends Record<K, z.ZodType> ? (Nothing extends Passed<E, K> ? never : K) : never]: Passed<E, K>
} & {
  [K in Part as E extends Record<K, z.ZodType> ? (Nothing extends Passed<E, K> ? K : never) : never]?: Passed<E, K>
}

const ALWAYS = ['BAD_ORIGIN', 'INSECURE_TRANSPORT', 'INTERNAL', 'STORAGE_UNAVAILABLE'] as const
const WITH_BODY = ['INVALID_JSON', 'INVALID_JSON_SCHEMA', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE'] as const
const WITH_SESSION = [
  'UNAUTHENTICATED',
  'SESSION_EXPIRED',
  'ACCOUNT_DISABLED',
  'PASSWORD_CHANGE_REQUIRED',
  'TEMP_PASSWORD_EXPIRED',
  'MFA_ENROLMENT_REQUIRED',
  'SECOND_FACTOR_REQUIRED',
  'SCOPE_UPGRADE_REQUIRED',
  'ACCESS_DENIED',
  'REAUTH_REQUIRED',
] as const

/** The codes that the layers around a handler may answer, whatever the entry lists. */
export type SurroundingCode =
  | (typeof ALWAYS)[number]
  | (typeof WITH_BODY)[number]
  | (typeof WITH_SESSION)[number]
  | 'ADMIN_NETWORK'
  | 'USER_NOT_FOUND'
  | 'SELF_RESET'
  | 'INVALID_QUERY'
  | 'NOT_FOUND'
  | 'TOO_MANY_ATTEMPTS'

/** Every code this entry can answer: its own and those of the layers around its handler. */
export function codesOf(entry: Endpoint): ErrorCode[] {
  const codes = new Set<ErrorCode>([...ALWAYS, ...entry.errors])
  if (entry.body) for (const code of WITH_BODY) codes.add(code)
  if (entry.query) codes.add('INVALID_QUERY')
  if (entry.params) codes.add('NOT_FOUND')
  if (entry.auth !== 'public') for (const code of WITH_SESSION) codes.add(code)
  if (isAdministration(entry) || entry.target) codes.add('ADMIN_NETWORK')
  if (entry.target) codes.add('USER_NOT_FOUND')
  if (entry.target && entry.target.self !== 'allowed') codes.add('SELF_RESET')
  if (limitOf(entry) !== 'none') codes.add('TOO_MANY_ATTEMPTS')
  return [...codes]
}

export function authOf(entry: Endpoint): Auth {
  return entry.auth ?? 'superuser'
}

/**
 * Whether calling it is administration, whoever does it: then the settings can restrict it to networks. An entry with a `target`
 * that everybody may use for himself is so only where it acts on somebody else.
 */
export function isAdministration(entry: Endpoint): boolean {
  const auth = authOf(entry)
  return entry.administers === true || !(auth === 'public' || auth === 'session' || auth === 'browser')
}

export function limitOf(entry: Endpoint): 'credential' | 'address' | 'none' {
  return entry.limit ?? 'credential'
}
