import { describe, expect, it } from 'vitest'
import { atOnce, buildUser, HOUR, NOW, storeUser } from './builders.ts'
import { ENGINES } from './engines.ts'
import { LIMITS, ours, theirs, newId, newName, useImports } from './imports.ts'

describe.each(ENGINES)('imports of users on $name', (engine) => {
  const { storage, imports, person, newPerson, receive, running, stateOf } = useImports(engine)

  describe('receiving', () => {
    it('takes the parts in their order, and each once, however often it is sent', async () => {
      const import_id = newId()
      await imports().begin(import_id, person(), NOW)
      const send = (part: number, rows = `["${part}"]`) =>
        imports().addPart(import_id, { part, rows, count: 2 }, LIMITS, NOW)
      expect(await send(1)).toBe('state')
      expect(await send(0)).toBe(2)
      expect(await atOnce(5, () => send(1))).toEqual([4, 4, 4, 4, 4])
      expect(await send(0)).toBe('state')
      expect(await send(1, 'other')).toBe(4)
      expect(await send(3)).toBe('state')
      expect(await imports().part(import_id, 1)).toEqual({ rows: '["1"]', faulty: [] })
      expect(await imports().part(import_id, 2)).toBeUndefined()
      expect(await imports().find(import_id)).toEqual({
        import_id,
        begun_by: person(),
        state: 'receiving',
        rows: 4,
        next_part: 2,
        done: 0,
        faulty: 0,
        faults: [],
        imported: 0,
        reason: null,
      })
    })

    it('ends at the limits of lines and of characters', async () => {
      const import_id = await receive(999)
      const send = (rows: string, count: number) => imports().addPart(import_id, { part: 1, rows, count }, LIMITS, NOW)
      expect(await send('[]', 2)).toBe('limits')
      expect(await send(' '.repeat(100_000), 1)).toBe('limits')
      expect(await send('[]', 1)).toBe(1000)
    })

    it('forgets the earlier imports of a person, but none that runs', async () => {
      const [first, second] = [await receive(), newId()]
      const other = newId()
      await imports().begin(other, person() + 100_000, NOW)
      expect(await imports().begin(second, person(), NOW)).toBe(true)
      expect([await stateOf(first), await imports().part(first, 0)]).toEqual([undefined, undefined])
      expect(await stateOf(other)).toBe('receiving')
      const third = await running()
      expect(await stateOf(second)).toBeUndefined()
      expect(await imports().begin(newId(), person(), NOW)).toBe(false)
      expect(await stateOf(third)).toBe('running')
    })
  })

  describe('checking', () => {
    it('keeps what was found, until the next check', async () => {
      const import_id = await receive()
      const faults = [{ line: 2, field: 'email', fault: 'taken' } as const]
      expect(await imports().beginCheck(import_id, ours)).toBe(true)
      expect(await imports().beginCheck(import_id, ours)).toBe(false)
      const found = { part: 0, faulty: [1] }
      expect(await imports().noteChecked(import_id, theirs, found, { done: 3, faulty: 1, faults })).toBe(false)
      expect(await imports().noteChecked(import_id, ours, found, { done: 3, faulty: 1, faults })).toBe(true)
      expect(await imports().endCheck(import_id, theirs)).toBe(false)
      expect(await imports().endCheck(import_id, ours)).toBe(true)
      expect(await imports().part(import_id, 0)).toEqual({ rows: '[]', faulty: [1] })
      expect(await imports().find(import_id)).toMatchObject({ state: 'checked', done: 3, faulty: 1, faults })
      expect(await imports().addPart(import_id, { part: 1, rows: '[]', count: 1 }, LIMITS, NOW)).toBe('state')
      expect(await imports().beginRun(import_id, ours, false)).toBe('faulty')
      expect(await imports().beginCheck(import_id, ours)).toBe(true)
      expect(await imports().find(import_id)).toMatchObject({ state: 'checking', done: 0, faulty: 0, faults: [] })
    })

    it('wants lines, and is broken off by forgetting the import', async () => {
      const empty = newId()
      await imports().begin(empty, person(), NOW)
      expect(await imports().beginCheck(empty, ours)).toBe(false)
      const import_id = await receive()
      await imports().beginCheck(import_id, ours)
      expect(await imports().forget(import_id)).toBe(true)
      expect(await imports().noteChecked(import_id, ours, { part: 0, faulty: [] }, { done: 3, faulty: 0 })).toBe(false)
      expect(await imports().endCheck(import_id, ours)).toBe(false)
      expect(await imports().part(import_id, 0)).toBeUndefined()
    })

    it('finds the names and mail addresses that belong to somebody, of any number', async () => {
      const user = buildUser({ username: newName(), email: `${newName()}@example.org` })
      await storeUser(storage(), user)
      const many = Array.from({ length: 1000 }, newName)
      const usernames = [...many, user.username, "o'brien\\"]
      const taken = await imports().taken({ usernames, emails: [user.email ?? '', 'nobody@example.org', ...many] })
      expect(taken).toEqual({ usernames: new Set([user.username]), emails: new Set([user.email]) })
      expect(await imports().taken({ usernames: [], emails: [] })).toEqual({ usernames: new Set(), emails: new Set() })
    })
  })

  it('forgets what nobody has touched for long, with its lines, but nothing that runs', async () => {
    const idle = await receive()
    await newPerson()
    const at_work = await running()
    await newPerson()
    const fresh = newId()
    await imports().begin(fresh, person(), NOW + HOUR)
    await imports().sweep(NOW + 1)
    expect([await stateOf(idle), await stateOf(at_work), await stateOf(fresh)]).toEqual([
      undefined,
      'running',
      'receiving',
    ])
    expect(await imports().part(idle, 0)).toBeUndefined()
    expect(await imports().part(at_work, 0)).toBeDefined()
  })
})
