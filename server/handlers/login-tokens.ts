import type { ApiTable } from '../../api/index.ts'
import type { Call, Handlers } from '../call.ts'
import type { LoginTokenTarget, OutOfReach } from '../domain/login-tokens.ts'
import { toWireLoginToken } from '../domain/wire.ts'

type LoginTokens = Handlers<ApiTable>['loginTokens']
type Entry<N extends keyof ApiTable['loginTokens']> = Call<ApiTable['loginTokens'][N]>

const list: LoginTokens['list'] = async ({ deps, actor, query }) => {
  const { with_trashed, ...filter } = query
  const page = await deps.loginTokens.list(actor, { ...filter, with_trashed: with_trashed === 'true' })
  return { ...page, items: page.items.map((listed) => toWireLoginToken(listed, deps.clock())) }
}

const read: LoginTokens['read'] = async (call) => {
  const { deps, actor, params, query, fail } = call
  const found = await deps.loginTokens.read(actor, params.uuid, query.with_trashed === 'true')
  if (typeof found === 'string') return fail(found)
  return 'out_of_reach' in found ? deny(call, found) : toWireLoginToken(found, deps.clock())
}

const create: LoginTokens['create'] = (call) => mint(call, { login_user_id: call.body.login_user_id })

const createByEmail: LoginTokens['createByEmail'] = (call) =>
  mint(call, { login_user_email: call.body.login_user_email })

async function mint(call: Entry<'create'> | Entry<'createByEmail'>, target: LoginTokenTarget) {
  const { deps, actor, body, shareBase, record, fail } = call
  const minted = await deps.loginTokens.mint(actor, target, body)
  if (typeof minted === 'string') return fail(minted)
  if ('out_of_reach' in minted) return deny(call, minted)
  const { uuid, login_user_id } = minted.token
  record({ event: 'login_token_created', user_id: login_user_id, by: actor.user.user_id, uuid })
  return {
    ...toWireLoginToken(minted, deps.clock()),
    token: minted.secret,
    // In the fragment, which browsers keep to themselves: no server, proxy or link preview sees it.
    login_url: `${shareBase}/login/token#${minted.secret}`,
  }
}

const revoke: LoginTokens['revoke'] = async (call) => {
  const { deps, actor, params, record, fail } = call
  const revoked = await deps.loginTokens.revoke(actor, params.uuid)
  if (typeof revoked === 'string') return fail(revoked)
  if ('out_of_reach' in revoked) return deny(call, revoked)
  const { uuid, login_user_id } = revoked.token
  record({ event: 'login_token_revoked', user_id: login_user_id, by: actor.user.user_id, uuid })
  return toWireLoginToken(revoked, deps.clock())
}

function deny({ actor, record, fail }: Entry<keyof LoginTokens>, { out_of_reach: target }: OutOfReach): never {
  const what = { code: 'ACCESS_DENIED', entry: '/api/administration/users/login-tokens' }
  record({ event: 'access_refused', user_id: actor.user.user_id, ...(target === undefined ? {} : { target }), ...what })
  return fail('ACCESS_DENIED')
}

export const loginTokens: LoginTokens = { list, read, create, createByEmail, revoke }
