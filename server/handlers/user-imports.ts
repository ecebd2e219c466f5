import type { ApiTable } from '../../api/index.ts'
import { IMPORT_MAX_ROWS, type ImportStatus } from '../../api/user-imports.ts'
import type { UserImportRecord } from '../storage/port/user-imports.ts'
import type { Call, Handlers } from '../call.ts'

type Imports = Handlers<ApiTable>['userImports']

/** What one file may hold. The characters are those of its lines as JSON: room for 500 a line. */
const LIMITS = { rows: IMPORT_MAX_ROWS, characters: 100_000_000 }

const begin: Imports['begin'] = async ({ deps, actor, fail }) => {
  const import_id = deps.random(16).toString('hex')
  const begun = await deps.storage.userImports.begin(import_id, actor.user.user_id, deps.clock())
  return begun ? { import_id } : fail('IMPORT_STATE')
}

const addPart: Imports['addPart'] = async (call) => {
  const { deps, body, fail } = call
  const { import_id } = await ownImport(call)
  const part = { part: body.part, rows: JSON.stringify(body.rows), count: body.rows.length }
  const rows = await deps.storage.userImports.addPart(import_id, part, LIMITS, deps.clock())
  if (rows === 'state') return fail('IMPORT_STATE')
  return rows === 'limits' ? fail('IMPORT_TOO_LARGE') : { rows }
}

const check: Imports['check'] = async (call) => {
  const { import_id } = await ownImport(call)
  if (!(await call.deps.userImports.check({ ...call, import_id }))) return call.fail('IMPORT_STATE')
  return toStatus(await ownImport(call))
}

const read: Imports['read'] = async (call) => toStatus(await ownImport(call))

const run: Imports['run'] = async (call) => {
  const { import_id } = await ownImport(call)
  const begun = await call.deps.userImports.run({ ...call, import_id }, call.body.skip_faulty)
  if (begun !== 'begun') return call.fail(begun === 'faulty' ? 'IMPORT_FAULTY' : 'IMPORT_STATE')
  return toStatus(await ownImport(call))
}

const remove: Imports['remove'] = async (call) => {
  const { import_id } = await ownImport(call)
  await call.deps.userImports.remove({ ...call, import_id })
  return {}
}

/** Nobody learns of an import that another began, whatever his rights. */
async function ownImport({
  deps,
  actor,
  params,
  fail,
}: Pick<Call<ApiTable['userImports']['read']>, 'deps' | 'actor' | 'params' | 'fail'>): Promise<UserImportRecord> {
  const found = await deps.storage.userImports.find(params.import_id)
  return found?.begun_by === actor.user.user_id ? found : fail('IMPORT_NOT_FOUND')
}

function toStatus({ state, rows, done, faulty, faults, imported, reason }: UserImportRecord): ImportStatus {
  return { state, rows, done, faulty, faults, imported, reason }
}

export const userImports: Imports = { begin, addPart, check, read, run, remove }
