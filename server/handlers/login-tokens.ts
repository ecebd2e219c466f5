import type { ApiTable } from '../../api/index.ts'
import type { Handlers } from '../call.ts'
import { toWireLoginToken } from '../domain/wire.ts'

type LoginTokens = Handlers<ApiTable>['loginTokens']

const create: LoginTokens['create'] = async ({ deps, actor, body, base, record, fail }) => {
  const minted = await deps.loginTokens.mint(actor, body)
  if (typeof minted === 'string') return fail(minted)
  const { uuid, login_user_id } = minted.record
  record({ event: 'login_token_created', user_id: login_user_id, by: actor.user.user_id, uuid })
  return {
    ...toWireLoginToken(minted.record, actor.user, minted.target, deps.clock()),
    token: minted.secret,
    // In the fragment, which browsers keep to themselves: no server, proxy or link preview sees it.
    login_url: `${base}/login/token#${minted.secret}`,
  }
}

export const loginTokens: LoginTokens = { create }
