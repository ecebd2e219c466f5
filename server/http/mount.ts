import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import { authOf, type Endpoint, limitOf, type Table } from '../../api/endpoint.ts'
import type { ErrorCode } from '../../api/errors.ts'
import type { Deps } from '../deps.ts'
import { refuseAdmission } from '../domain/admission.ts'
import { mayOrphanGrants } from '../domain/grants.ts'
import { reachTarget } from '../domain/guards.ts'
import type { Refusal } from '../domain/attempts.ts'
import type { RecordEvent } from '../domain/events.ts'
import type { Actor, Origin } from '../domain/sessions.ts'
import type { UserRecord } from '../storage/port.ts'
import type { Call, Handler, Handlers } from '../call.ts'
import { ApiError } from '../domain/refusal.ts'
import { answer } from './answer.ts'
import { authenticate, identifyCaller, rightsOf } from './authenticate.ts'
import { parseWith, readBody } from './body.ts'
import type { ClientAddress } from './client-address.ts'
import { answerCookies, deviceCookie, readCookie } from './cookies.ts'
import { sendError } from './fault.ts'

/**
 * Walks the table: every entry becomes a route that admits, parses, calls its handler and parses the answer.
 * Entries without parameters are found by their path at once; the router tries the others pattern by pattern, and
 * knows all of them for the sake of 405.
 */
export function mount<T extends Table>(table: T, handlers: Handlers<T>, deps: Deps): Middleware[] {
  const router = new Router({ sensitive: true, strict: true })
  const exact = new Map<string, Middleware>()
  for (const [area, entries] of Object.entries(table)) {
    for (const [name, entry] of Object.entries(entries)) {
      const handler = handlers[area]?.[name] as Handler<Endpoint>
      const step = route(entry, handler, deps)
      router.register(entry.path, [entry.method], [step])
      if (!entry.path.includes(':')) exact.set(`${entry.method} ${entry.path}`, step)
    }
  }
  return [matchExactly(exact), router.routes() as Middleware, unmatched(router)]
}

function matchExactly(steps: ReadonlyMap<string, Middleware>): Middleware {
  return (ctx, next) => {
    const step = steps.get(`${ctx.method} ${ctx.path}`)
    return step ? step(ctx, next) : next()
  }
}

function route(entry: Endpoint, handler: Handler<Endpoint>, deps: Deps): Middleware {
  return async (ctx) => {
    ctx.state['route'] = entry.path
    const from = originOf(ctx)
    const { record, written } = recorder(ctx, from, deps)
    try {
      if (entry.answers === 'redirect' && !mayBeSent(ctx, entry)) throw new ApiError('BAD_ORIGIN')
      const returned = await handle(ctx, entry, handler, from, record, deps)
      if (written.length > 0) await Promise.all(written)
      answer(ctx, entry, returned, () => isStillAdmitted(ctx, entry, deps))
    } catch (thrown) {
      // What cannot be written down is not answered, be it a success or a refusal.
      await Promise.all(written).catch((error: unknown) => {
        ctx.remove('Set-Cookie')
        throw error
      })
      if (entry.answers === 'redirect' && thrown instanceof ApiError && isLookedAt(ctx))
        return sendToSignIn(ctx, thrown)
      throw thrown
    }
  }
}

/**
 * Whether a browser may be sent on from here. Else a link on a foreign page could begin a sign-in, and a provider that asks
 * nothing would have the person signed in as somebody else unawares. Looking ahead (`HEAD`) begins nothing, and ends nothing.
 */
function mayBeSent(ctx: Context, entry: Endpoint): boolean {
  const site = ctx.get('Sec-Fetch-Site')
  return (
    ctx.method === entry.method && (entry.from_elsewhere === true || (site !== 'cross-site' && site !== 'same-site'))
  )
}

/** Whether a person's browser goes there itself, rather than a program. */
function isLookedAt(ctx: Context): boolean {
  return ctx.get('Sec-Fetch-Mode') === 'navigate' || ctx.get('Accept').includes('text/html')
}

/** The page tells him what a program would read in the answer. */
function sendToSignIn(ctx: Context, { code }: ApiError): void {
  ctx.status = 303
  ctx.set('Location', `/login#auth_error=${code}`)
  ctx.body = ''
}

/** Lets the caller as far as he may come and answers what the handler returns. */
async function handle(
  ctx: Context,
  entry: Endpoint,
  handler: Handler<Endpoint>,
  from: Origin,
  record: RecordEvent,
  deps: Deps,
): Promise<unknown> {
  const actor = await admit(ctx, entry, deps, record)
  const params = entry.params && parseWith(entry.params, ctx['params'], 'NOT_FOUND')
  const query = entry.query && parseWith(entry.query, { ...ctx.query }, 'INVALID_QUERY')
  const early =
    entry.target?.order === 'target_first' ? await reach(entry, actor, params, from, deps, record) : undefined
  const body = entry.body && (await readBody(ctx, entry.body))
  const call = {
    deps,
    params,
    query,
    body,
    actor,
    target: early ?? (await reach(entry, actor, params, from, deps, record)),
    from,
    base: baseOf(ctx, deps),
    shareBase: shareBaseOf(ctx, deps),
    deviceSecret: () => readCookie(ctx, deviceCookie(ctx.state['secure'] === true)),
    record,
    fail,
    tooMany,
    cookies: answerCookies(ctx, deps.clock),
  } as Call
  try {
    if (limitOf(entry) === 'none') return await handler(call)
    return await withinLimit(entry, async () => handler(call), from, deps, record)
  } catch (thrown) {
    if (actor && thrown instanceof ApiError && OVERREACH.has(thrown.code))
      record({ event: 'access_refused', user_id: actor.user.user_id, code: thrown.code, entry: entry.path })
    throw thrown
  }
}

/** Refusals of handlers that say: this caller tried what he may not, or looked for whom he does not know. */
const OVERREACH = new Set<ErrorCode>([
  'INVALID_FIELD_MODIFY',
  'LAST_SUPERUSER',
  'LAST_WAY_IN',
  'ADMIN_NETWORK',
  'ADMIN_NETWORK_SELF',
  'REDIRECT_NOT_ALLOWED',
  'USER_NOT_FOUND',
])

/** Whether who was let in would be let in now, and to the same: other rights end it, and he may ask again. */
async function isStillAdmitted(ctx: Context, entry: Endpoint, deps: Deps): Promise<boolean> {
  const before: UserRecord = ctx.state['user']
  const actor = await identifyCaller(ctx, deps)
  if (typeof actor === 'string' || rightsOf(actor.user) !== rightsOf(before)) return false
  const isInNetwork = () => deps.adminNetworks.hold(addressOf(ctx))
  return refuseAdmission(entry, actor, deps.settings(), deps.clock(), isInNetwork) === undefined
}

/** Answers a call that brings a credential, unless its address has failed too often; a failure counts. */
function withinLimit<T>(
  entry: Endpoint,
  handle: () => Promise<T>,
  from: Origin,
  deps: Deps,
  record: RecordEvent,
): Promise<T> {
  const run = async () => {
    await refuseAddress(from, deps, record)
    try {
      return await handle()
    } catch (thrown) {
      if (isWrongCredential(thrown)) await deps.attempts.failAddress(from)
      throw thrown
    }
  }
  return limitOf(entry) === 'address' ? run() : deps.attempts.inTurn(from, run)
}

/** The caller, once the contract's order of checks has let him through; public entries let everybody through. */
async function admit(ctx: Context, entry: Endpoint, deps: Deps, record: RecordEvent): Promise<Actor | undefined> {
  const actor = await authenticate(ctx, deps)
  if (authOf(entry) === 'public') return typeof actor === 'string' ? undefined : actor
  if (typeof actor === 'string') throw new ApiError(actor === 'expired' ? 'SESSION_EXPIRED' : 'UNAUTHENTICATED')
  const isInNetwork = () => deps.adminNetworks.hold(addressOf(ctx))
  const refusal = refuseAdmission(entry, actor, deps.settings(), deps.clock(), isInNetwork)
  if (!refusal) return actor
  record({ event: 'access_refused', user_id: actor.user.user_id, code: refusal, entry: entry.path })
  throw new ApiError(refusal)
}

/** The user whom the entry acts on, once the guards have let the caller at him; undefined where it acts on nobody. */
async function reach(
  entry: Endpoint,
  actor: Actor | undefined,
  params: unknown,
  from: Origin,
  deps: Deps,
  record: RecordEvent,
) {
  if (!entry.target || !actor) return undefined
  const target = idOf(params)
  const find = (user_id: number) => deps.storage.users.find(user_id)
  const reached = await reachTarget(entry.target, actor, target, find, () => deps.adminNetworks.hold(from))
  if (typeof reached !== 'string') return reached
  record({ event: 'access_refused', user_id: actor.user.user_id, target, code: reached, entry: entry.path })
  throw new ApiError(reached)
}

function idOf(params: unknown): number {
  if (typeof params === 'object' && params !== null && 'id' in params && typeof params.id === 'number') return params.id
  throw new Error('An entry with a target takes its id as a parameter')
}

async function refuseAddress(from: Origin, deps: Deps, record: RecordEvent): Promise<void> {
  const refusal = await deps.attempts.refuseAddress(from)
  if (!refusal) return
  record({ event: 'limited', scope: 'address' })
  tooMany(refusal)
}

/** The failures that the limit of an address counts: a secret that was wrong, not one that is still to come. */
const WRONG_CREDENTIAL = new Set<ErrorCode>([
  'INCORRECT_CREDENTIALS',
  'TEMPORARY_TOKEN_INVALID',
  'LOGIN_TOKEN_INVALID',
  'SETUP_TOKEN_INVALID',
  'CURRENT_PASSWORD_WRONG',
  'TOTP_CODE_WRONG',
  'EXCHANGE_TOKEN_INVALID',
  'PAIRING_CODE_INVALID',
])

function isWrongCredential(thrown: unknown): boolean {
  return thrown instanceof ApiError && WRONG_CREDENTIAL.has(thrown.code)
}

function addressOf(ctx: Context): ClientAddress {
  return ctx.state['address']
}

function originOf(ctx: Context): Origin {
  const { ip, loopback, at_machine } = addressOf(ctx)
  return { ip, loopback, at_machine, user_agent: ctx.get('User-Agent').slice(0, 400) }
}

function baseOf(ctx: Context, { public_url }: Deps): string {
  // `Host` has been checked: it is a name of ours.
  return public_url?.replace(/\/+$/, '') ?? `${ctx.state['secure'] === true ? 'https' : 'http'}://${ctx.get('Host')}`
}

/** Whoever makes a link at this machine makes it for somebody elsewhere, to whom loopback is another machine. */
function shareBaseOf(ctx: Context, deps: Deps): string {
  const lan = deps.public_url === undefined && addressOf(ctx).loopback ? deps.lan.address() : undefined
  return lan ?? baseOf(ctx, deps)
}

/** Writes the events of one request down; `written` holds what is still on its way to the audit, and what could not get there. */
function recorder(ctx: Context, from: Origin, deps: Deps): { record: RecordEvent; written: Promise<void>[] } {
  const written: Promise<void>[] = []
  return {
    written,
    record(event) {
      const source = { ip: from.ip, user_agent: from.user_agent, request_id: ctx.state['request_id'] }
      deps.log.info({ ...event, ...source }, 'security event')
      const writing = deps.audit.append(event, source)
      // Work that goes on after the answer has nobody else who would hear of it.
      writing.catch((error: unknown) => deps.log.error({ err: error, ...source }, 'an event is missing in the audit'))
      written.push(writing)
      if (mayOrphanGrants(event)) deps.tendGrants()
    },
  }
}

function fail(code: ErrorCode, data?: unknown): never {
  throw new ApiError(code, data)
}

function tooMany({ retry_after }: Refusal): never {
  throw new ApiError('TOO_MANY_ATTEMPTS', { retry_after })
}

/** A known path with the wrong verb is 405 with `Allow`; under `/api` anything else is 404, elsewhere it may be a page. */
function unmatched(router: Router): Middleware {
  return (ctx, next) => {
    const known = router.match(ctx.path, ctx.method).path
    const methods = [...new Set(known.flatMap((layer) => layer.methods))]
    if (methods.length === 0) return ctx.path.startsWith('/api/') ? sendError(ctx, 'NOT_FOUND') : next()
    ctx.set('Allow', methods.join(', '))
    sendError(ctx, 'METHOD_NOT_ALLOWED')
  }
}
