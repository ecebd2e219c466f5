import type { ApiTable } from '../../api/index.ts'
import type { Handlers } from '../call.ts'

type System = Handlers<ApiTable>['system']

const health: System['health'] = async ({ deps }) => {
  await deps.storage.ping()
  return { storage: 'ok', version: deps.version }
}

const openapi: System['openapi'] = ({ deps }) => deps.openapi()

export const system: System = { health, openapi }
