import type { ApiTable } from '../../api/index.ts'
import type { Permission } from '../../api/permissions.ts'
import { TOPICS, type Topic } from '../../api/system.ts'
import { holds } from '../domain/guards.ts'
import type { Handlers } from '../call.ts'

type System = Handlers<ApiTable>['system']

const health: System['health'] = async ({ deps }) => {
  await deps.storage.ping()
  return { storage: 'ok', version: deps.version }
}

const openapi: System['openapi'] = ({ deps }) => deps.openapi()

const PERMISSION: Record<Topic, Permission> = {
  access: 'USER_CONFIG',
  login_tokens: 'LOGIN_TOKENS',
  audit: 'AUDIT_LOG',
}

const changes: System['changes'] = ({ deps, actor, fail }) => {
  const { user, session } = actor
  const topics = TOPICS.filter((topic) => holds(user, PERMISSION[topic]))
  if (topics.length === 0) return fail('ACCESS_DENIED')
  const listening = deps.changes.listen(session.session_id, topics, user.user_id)
  return listening === 'full' ? fail('OVERLOADED', { retry_after: 30 }) : listening
}

export const system: System = { health, openapi, changes }
