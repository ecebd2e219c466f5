import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { Storage } from '../../server/storage/port.ts'
import type { ImportBatch, ImportedUser } from '../../server/storage/port/user-imports.ts'
import { buildUser, NOW, storeUser } from './builders.ts'
import type { EngineUnderTest, TestDatabase } from './engines.ts'

export const LIMITS = { rows: 1000, characters: 100_000 }
export const ours = { runner: 'ours', at: NOW }
export const theirs = { runner: 'theirs', at: NOW }

export const newId = () => randomBytes(16).toString('hex')
export const newName = () => `made-${randomBytes(5).toString('hex')}`

export function buildImported(fields: Partial<ImportedUser> = {}): ImportedUser {
  const { username, email, display_name, superuser, permissions, enabled, lang } = buildUser({ username: newName() })
  const blank = { username, email, display_name, superuser, permissions, enabled, lang, password_hash: null }
  return { ...blank, manager: null, ...fields }
}

export function buildBatch(users: readonly ImportedUser[], fields: Partial<ImportBatch> = {}): ImportBatch {
  return { after: 0, done: users.length, faulty: 0, users, finished: 0, last: { superusers: [] }, ...fields }
}

/** A database for the tests of a file, a new person for each test, and imports of that person in each of their states. */
export function useImports(engine: EngineUnderTest) {
  let database: TestDatabase
  let storage: Storage
  let person: number
  beforeAll(async () => {
    database = await engine.create()
    storage = await database.open()
  })
  beforeEach(async () => {
    await newPerson()
  })
  afterEach(async () => {
    for (const { import_id } of await imports().takeOver(ours, Number.MAX_SAFE_INTEGER)) await undoAll(import_id)
  })
  afterAll(async () => {
    await storage.close()
    await database.drop()
  })

  const newPerson = async () => {
    person = await storeUser(storage)
  }
  const imports = () => storage.userImports
  const receive = async (rows = 3) => {
    const import_id = newId()
    await imports().begin(import_id, person, NOW)
    await imports().addPart(import_id, { part: 0, rows: '[]', count: rows }, LIMITS, NOW)
    return import_id
  }
  const checked = async (rows = 3, faulty = 0) => {
    const import_id = await receive(rows)
    await imports().beginCheck(import_id, ours)
    await imports().noteChecked(import_id, ours, { part: 0, faulty: [] }, { done: rows, faulty })
    await imports().endCheck(import_id, ours)
    return import_id
  }
  const running = async (rows = 3) => {
    const import_id = await checked(rows)
    await imports().beginRun(import_id, ours, false)
    return import_id
  }
  const stateOf = async (import_id: string) => (await imports().find(import_id))?.state
  const named = async (users: readonly { username: string }[]) =>
    (await Promise.all(users.map(({ username }) => storage.users.findByName(username)))).filter(Boolean)
  const undoAll = async (import_id: string, by = ours) => {
    for (;;) {
      const left = await imports().undoSome(import_id, by, 2)
      if (left !== 'more') return left
    }
  }

  return {
    storage: () => storage,
    imports,
    person: () => person,
    newPerson,
    receive,
    checked,
    running,
    stateOf,
    named,
    undoAll,
  }
}
