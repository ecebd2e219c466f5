import type { ApiTable } from '../../api/index.ts'
import type { Factor } from '../../api/schemas.ts'
import { createSecret, hashSecret } from '../domain/one-time-secret.ts'
import { isAdministrator } from '../domain/guards.ts'
import { isImported } from '../domain/password-formats.ts'
import { FRESH_FOR, TRUSTED_DEVICE_LIFE } from '../domain/lifetimes.ts'
import { lacksScope, scopesOf } from '../domain/grants.ts'
import { createsAccounts, needsPairing } from '../domain/leaving.ts'
import { outcomeOfPassword, proveAgain } from '../domain/proof.ts'
import { browserOf } from '../domain/sessions.ts'
import { isRefusal, type SignedIn } from '../domain/sign-in.ts'
import { linkedAccountsOf, switchAccount } from '../domain/session-group.ts'
import type { Call, Handlers } from '../call.ts'
import { iso } from '../domain/wire.ts'

type Auth = Handlers<ApiTable>['auth']
type Entry<N extends keyof ApiTable['auth']> = Call<ApiTable['auth'][N]>

const setupStatus: Auth['setupStatus'] = async ({ deps, from }) => {
  const [first] = await deps.storage.users.superusers(1)
  return {
    setup_required: !(await deps.storage.users.isSetUp()),
    temporary_login_token_enabled: deps.startupToken.isWaiting(),
    password_upgrade_required: first?.password_hash ? isImported(first.password_hash) : false,
    atproto_enabled: deps.settings().atproto_enabled && deps.provider.reach !== 'none',
    atproto_pairing: needsPairing(deps.provider, from),
    account_creation_enabled: createsAccounts(deps),
    min_password_length: deps.settings().min_password_length,
    insecure_transport: deps.insecure_http && !from.loopback,
  }
}

const setup: Auth['setup'] = async ({ deps, body, from, record, fail, cookies }) => {
  if (body.password !== body.confirm_password) fail('PASSWORDS_DIFFER')
  const made = await deps.setup(body, from)
  if ('refused' in made) {
    if (made.refused === 'SETUP_TOKEN_INVALID')
      record({ event: 'sign_in_refused', auth_source: 'startup_token', reason: made.refused })
    return made.refused === 'PASSWORD_UNACCEPTABLE' ? fail(made.refused, { reason: made.reason }) : fail(made.refused)
  }
  record({ event: 'set_up', user_id: made.user.user_id })
  cookies.setSession(made.issued)
  return answerOf({ ...made, is_temporary: false, password_upgrade_required: false })
}

const login: Auth['login'] = async (call) => {
  const { deps, body, fail, tooMany, cookies } = call
  const result = await signInWith(call)
  if (isRefusal(result)) return tooMany(result)
  if (result === 'TOTP_REQUIRED') return fail(result, { totp_required: true })
  if (typeof result === 'string') return fail(result)
  cookies.setSession(result.issued)
  // Trust is given for a code, never for trust: else it would renew itself for ever.
  const provedCode = 'code' in body && body.code !== undefined && result.user.totp_confirmed_at !== null
  if (provedCode && body.trust_device_flag) await trustDevice(call, result)
  return { ...answerOf(result), ...(result.redirect_to ? { redirect_to: result.redirect_to } : {}) }
  function signInWith({ from, record, actor, deviceSecret }: Entry<'login'>) {
    const context = { from, record, current: browserOf(actor) }
    const device_secret = deviceSecret()
    if (body.login_type === 'temporary_token') return deps.signIn.withStartupToken(body.temporary_token, context)
    if (body.login_type === 'login_token') return deps.signIn.withLoginToken({ ...body, device_secret }, context)
    return deps.signIn.withPassword({ ...body, device_secret }, context)
  }
}

async function trustDevice({ deps, from, record, cookies }: Entry<'login'>, { user }: SignedIn): Promise<void> {
  const now = deps.clock()
  const secret = createSecret(deps.random)
  const expires_at = now + TRUSTED_DEVICE_LIFE
  await deps.storage.trustedDevices.create({
    device_id: deps.random(16).toString('hex'),
    user_id: user.user_id,
    secret_hash: hashSecret(secret),
    created_at: now,
    last_used_at: now,
    expires_at,
    ip: from.ip,
    user_agent: from.user_agent,
  })
  record({ event: 'device_trusted', user_id: user.user_id })
  cookies.trustDevice(secret, expires_at)
}

const logout: Auth['logout'] = async ({ deps, query, actor, record, fail, cookies }) => {
  if (!actor) {
    if (query.switch_to !== undefined) fail('SWITCH_TARGET_INVALID')
    cookies.clearSession()
    return {}
  }
  const switched = query.switch_to === undefined ? undefined : await switchAccount(deps, actor, query.switch_to)
  if (query.switch_to !== undefined && !switched) fail('SWITCH_TARGET_INVALID')
  await deps.storage.sessions.revoke(actor.session.session_id, actor.user.user_id, deps.clock())
  if (!switched) {
    record({ event: 'sign_out', user_id: actor.user.user_id })
    cookies.clearSession()
    return {}
  }
  record({ event: 'account_switched', user_id: actor.user.user_id, to: switched.user.user_id })
  cookies.setSession(switched.issued)
  const { user_id, did, handle, username } = switched.user
  return { switched_to: { user_id, did, handle, username } }
}

const me: Auth['me'] = async ({ deps, actor, from, shareBase }) => {
  const { user, session } = actor
  return {
    user_id: user.user_id,
    username: user.username,
    did: user.did,
    handle: user.handle,
    avatar_url: user.avatar_url,
    superuser: user.superuser,
    permissions: user.permissions,
    is_temporary: session.kind === 'temporary',
    scopes: scopesOf(session.scope ?? ''),
    auth_source: session.auth_source,
    scope_upgrade_required: lacksScope(session, deps.settings()),
    administration: administrationOf(),
    address: from.ip,
    share_base: shareBase,
    linked_accounts: session.group_id === null ? [] : await linkedAccountsOf(deps, actor),
  }
  function administrationOf() {
    if (session.kind === 'developer' || !isAdministrator(user)) return 'none'
    return deps.adminNetworks.hold(from) ? 'here' : 'elsewhere'
  }
}

const reauth: Auth['reauth'] = async ({ deps, body, actor, from, record, fail, tooMany, cookies }) => {
  const { user, session } = actor
  const proved = await proveAgain<Factor | undefined>(deps.attempts, actor, from, record, async () => {
    const factor = body.code === undefined ? await provePassword() : await deps.secondFactor.redeem(user, body.code)
    if (factor === 'recovery') record({ event: 'recovery_code_used', user_id: user.user_id })
    return { outcome: outcomeOf(factor), value: factor }
  })
  if (isRefusal(proved)) return tooMany(proved)
  if (!proved) {
    record({ event: 'reauthentication_refused', user_id: user.user_id })
    return fail('INCORRECT_CREDENTIALS')
  }
  const now = deps.clock()
  const issued = await deps.sessions.rotate(session, proved)
  if (!issued) return fail('SESSION_EXPIRED')
  record({ event: 'reauthenticated', user_id: user.user_id, factor: proved })
  cookies.setSession(issued)
  return { token: issued.token, fresh_until: iso(now + FRESH_FOR) }
  function outcomeOf(factor: Factor | undefined) {
    if (factor === undefined) return 'failed'
    return factor === 'pwd' ? outcomeOfPassword(user) : 'succeeded'
  }
  async function provePassword() {
    const { matches } = await deps.passwords.verify(body.password ?? '', user.password_hash)
    return matches ? ('pwd' as const) : undefined
  }
}

const editAccount: Auth['editAccount'] = async (call) => {
  const { deps, body, actor, fail, tooMany, from, record, cookies } = call
  if (body.new_password !== undefined && body.new_password !== body.confirm_password) fail('PASSWORDS_DIFFER')
  if (deps.ownPassword.mustProveAnew(actor)) fail('REAUTH_REQUIRED')
  const proved = await deps.ownPassword.prove(actor, body.password, from, record)
  if (proved !== true) return isRefusal(proved) ? tooMany(proved) : fail('CURRENT_PASSWORD_WRONG')
  const fault = body.new_password === undefined ? undefined : await deps.ownPassword.check(actor, body.new_password)
  if (fault) return 'reason' in fault ? fail(fault.refused, { reason: fault.reason }) : fail(fault.refused)
  if (body.new_username !== undefined) {
    const edited = await deps.storage.users.edit(actor.user.user_id, { username: body.new_username }, deps.clock())
    if (edited === 'USERNAME_TAKEN') fail('USERNAME_TAKEN')
    record({ event: 'user_edited', user_id: actor.user.user_id, by: actor.user.user_id, fields: ['username'] })
  }
  const user = (await deps.storage.users.find(actor.user.user_id)) ?? actor.user
  const issued =
    body.new_password === undefined
      ? await deps.sessions.rotate(actor.session)
      : await deps.ownPassword.set(actor, body.new_password, from, record)
  if (!issued) return fail('SESSION_EXPIRED')
  cookies.setSession(issued)
  const is_temporary = actor.session.kind === 'temporary' && body.new_password === undefined
  return {
    ...answerOf({ user, issued, is_temporary, password_upgrade_required: false }),
    require_password_change: false,
  }
}

function answerOf({ user, issued, is_temporary, password_upgrade_required }: SignedIn) {
  return {
    token: issued.token,
    user_id: user.user_id,
    username: user.username,
    require_password_change: user.require_password_change,
    change_pwd_hint: is_temporary,
    password_upgrade_required,
  }
}

const showLoginToken: Auth['showLoginToken'] = async ({ deps, body, record, fail }) => {
  const shown = await deps.loginTokens.show(body.login_token)
  if (!shown) {
    record({ event: 'sign_in_refused', auth_source: 'login_token', reason: 'LOGIN_TOKEN_INVALID' })
    return fail('LOGIN_TOKEN_INVALID')
  }
  const { username, display_name } = shown.login_user
  return { login_user: { username, display_name }, expires_at: iso(shown.token.expires_at) }
}

export const signingIn = { setupStatus, setup, login, showLoginToken, logout, me, reauth, editAccount }
