import type { Endpoint, Received, Returned, Table } from '../api/endpoint.ts'
import type { DataOf } from '../api/errors.ts'
import type { Deps } from './deps.ts'
import type { Refusal } from './domain/attempts.ts'
import type { RecordEvent } from './domain/events.ts'
import type { FlowCookie } from './domain/leaving.ts'
import type { Actor, IssuedSession, Origin } from './domain/sessions.ts'
import type { UserRecord } from './storage/port.ts'

/** Ends the request with one of the codes that the entry lists. */
export type Fail<E extends Endpoint> = <
  C extends E['errors'][number] | 'ACCESS_DENIED' | 'PASSWORD_CHANGE_REQUIRED' | 'SESSION_EXPIRED' | 'REAUTH_REQUIRED',
>(
  ...args: DataOf<C> extends undefined ? [code: C] : [code: C, data: DataOf<C>]
) => never

/** What a handler is given: parsed input, the caller, and what it may do to the answer. */
export interface Call<E extends Endpoint = Endpoint> {
  deps: Deps
  params: Received<E, 'params'>
  query: Received<E, 'query'>
  body: Received<E, 'body'>
  /** Who calls; only public entries may find nobody. */
  actor: E extends { auth: 'public' } ? Actor | undefined : Actor
  /** The user whom the entry acts on; the guards have let the caller at him. */
  target: E extends { target: object } ? UserRecord : undefined
  from: Origin
  /** The address that the caller knows us by, without a slash at its end. */
  base: string
  /** The address for links that others are given: at this machine, that of the network. Without a slash at its end. */
  shareBase: string
  /** The secret by which this browser is trusted, if it sent one. */
  deviceSecret: () => string | undefined
  record: RecordEvent
  fail: Fail<E>
  /** 429, whatever the entry lists. */
  tooMany: (refusal: Refusal) => never
  cookies: AnswerCookies
}

/** The cookies of the answer. */
export interface AnswerCookies extends FlowCookie {
  setSession(session: IssuedSession): void
  clearSession(): void
  trustDevice(secret: string, expires_at: number): void
}

export type Handler<E extends Endpoint> = (call: Call<E>) => Promise<Returned<E>> | Returned<E>

/** One handler for each entry of the table; a missing one does not compile. */
export type Handlers<T extends Table> = { [A in keyof T]: { [N in keyof T[A]]: Handler<T[A][N]> } }
