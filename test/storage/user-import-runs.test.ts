import { describe, expect, it } from 'vitest'
import { atOnce, buildUser, HOUR, NOW, storeUser } from './builders.ts'
import { ENGINES } from './engines.ts'
import { ours, theirs, newName, buildImported, buildBatch, useImports } from './imports.ts'

describe.each(ENGINES)('imports that make users on $name', (engine) => {
  const { storage, imports, person, newPerson, receive, checked, running, stateOf, named, undoAll } = useImports(engine)

  describe('running', () => {
    it('is begun by one of many', async () => {
      const import_id = await checked()
      const begun = await atOnce(8, (index) =>
        imports().beginRun(import_id, { runner: String(index), at: NOW }, index % 2 === 0),
      )
      expect(begun.toSorted()).toEqual(['begun', ...Array<string>(7).fill('state')])
    })

    it('makes users as they were told, and superusers only at the end', async () => {
      const import_id = await running()
      const boss = await storeUser(storage())
      const bossName = (await storage().users.find(boss))?.username ?? ''
      const full = buildImported({
        email: `${newName()}@example.org`,
        display_name: 'Zoë 🔑 漢字 — "quoted" \\',
        permissions: ['USER_CONFIG', 'AUDIT_LOG'],
        manager: bossName,
        enabled: false,
        lang: 'zh-CN',
        password_hash: '$2b$10$x',
        superuser: true,
      })
      const below = buildImported({ manager: full.username })
      const plain = buildImported({ manager: person() })
      const first = buildBatch([full, below], { finished: undefined, last: undefined })
      expect(await imports().insert(import_id, ours, first)).toBe('inserted')
      expect(await storage().users.findByName(full.username)).toMatchObject({ superuser: false })
      const second = buildBatch([plain, buildImported({ manager: below.username })], {
        after: 2,
        done: 4,
        last: { superusers: [full.username] },
      })
      expect(await imports().insert(import_id, ours, second)).toBe('inserted')
      const { manager: _, ...rest } = full
      const made = await storage().users.findByName(full.username)
      expect(made).toMatchObject({ ...rest, manager_id: boss, created_at: NOW })
      expect(made).toMatchObject({ require_password_change: false, totp_secret: null, last_sign_in_at: null })
      expect((await storage().users.findByName(below.username))?.manager_id).toBe(made?.user_id)
      expect((await storage().users.findByName(plain.username))?.manager_id).toBe(person())
      const { items } = await storage().users.list({ q: full.email ?? '', sort: 'username', limit: 5 })
      expect(items.map(({ username }) => username)).toEqual([full.username])
      expect(await imports().find(import_id)).toMatchObject({ state: 'done', done: 4, imported: 4 })
      expect(await imports().part(import_id, 0)).toBeUndefined()
    })

    it('makes all users of a batch or none, and says which stand against it', async () => {
      const import_id = await running()
      const there = buildUser({ username: newName(), email: `${newName()}@example.org` })
      await storeUser(storage(), there)
      const users = [
        buildImported(),
        buildImported({ username: there.username }),
        buildImported({ email: there.email }),
        buildImported(),
      ]
      expect(await imports().insert(import_id, ours, buildBatch(users))).toEqual([
        { index: 1, field: 'username', fault: 'taken' },
        { index: 2, field: 'email', fault: 'taken' },
      ])
      const orphan = [buildImported(), buildImported({ manager: 'nobody-at-all' })]
      expect(await imports().insert(import_id, ours, buildBatch(orphan))).toEqual([
        { index: 1, field: 'manager', fault: 'unknown' },
      ])
      expect(await named([...users.filter(({ username }) => username !== there.username), ...orphan])).toEqual([])
      expect(await imports().find(import_id)).toMatchObject({ state: 'running', done: 0, imported: 0 })
    })

    it('stores a batch once, and only for its runner', async () => {
      const import_id = await running()
      const users = [buildImported(), buildImported()]
      expect(await imports().insert(import_id, theirs, buildBatch(users))).toBe('gone')
      const results = await atOnce(4, () => imports().insert(import_id, ours, buildBatch(users, { last: undefined })))
      expect(results.toSorted()).toEqual(['gone', 'gone', 'gone', 'inserted'])
      expect(await named(users)).toHaveLength(2)
    })

    it('either is done or is undone when a cancellation meets its last batch', async () => {
      for (let round = 0; round < 12; round++) {
        const import_id = await running()
        const users = [buildImported(), buildImported()]
        const steps = [
          () => imports().insert(import_id, ours, buildBatch(users)),
          () => imports().beginUndo(import_id, theirs, 'cancelled'),
        ]
        if (round % 2) steps.reverse()
        await Promise.all(steps.map((step) => step()))
        const state = await stateOf(import_id)
        const end = await undoAll(import_id)
        expect([state, end, (await named(users)).length]).toEqual(
          state === 'done' ? ['done', 'gone', 2] : ['undoing', 'undone', 0],
        )
        await imports().forget(import_id)
      }
    })
  })

  describe('undoing', () => {
    it('takes back whom this import made, nobody else, and is finished once by however many', async () => {
      const others = await running()
      const stranger = [buildImported()]
      await imports().insert(others, ours, buildBatch(stranger))
      const import_id = await running(7)
      const users = Array.from({ length: 7 }, () => buildImported())
      await imports().insert(import_id, ours, buildBatch(users, { finished: undefined, last: undefined }))
      expect(await imports().undoSome(import_id, ours, 2)).toBe('gone')
      expect(await imports().beginUndo(import_id, ours, 'conflict', { done: 7, faulty: 1 })).toBe(true)
      expect(await imports().beginUndo(import_id, ours, 'cancelled')).toBe(false)
      expect(await imports().insert(import_id, ours, buildBatch([buildImported()], { after: 7 }))).toBe('gone')
      expect(await imports().forget(import_id)).toBe(false)
      const ends = await atOnce(4, (index) => undoAll(import_id, { runner: String(index), at: NOW }))
      expect(ends.toSorted()).toEqual(['gone', 'gone', 'gone', 'undone'])
      expect(await named(users)).toEqual([])
      expect(await named(stranger)).toHaveLength(1)
      expect(await imports().find(import_id)).toMatchObject({
        state: 'undone',
        reason: 'conflict',
        imported: 0,
        faulty: 1,
      })
      expect(await imports().part(import_id, 0)).toBeUndefined()
      expect(await imports().forget(import_id)).toBe(true)
    })

    it('never touches an import that is done, even when it was forgotten', async () => {
      const import_id = await running()
      const users = [buildImported()]
      await imports().insert(import_id, ours, buildBatch(users))
      expect(await imports().beginUndo(import_id, ours, 'cancelled')).toBe(false)
      expect(await imports().undoSome(import_id, ours, 5)).toBe('gone')
      expect(await imports().forget(import_id)).toBe(true)
      expect(await imports().undoSome(import_id, ours, 5)).toBe('gone')
      expect(await named(users)).toHaveLength(1)
    })

    it('spares whom somebody has made a superuser meanwhile: he may be the last one', async () => {
      const import_id = await running()
      const users = [buildImported(), buildImported()]
      await imports().insert(import_id, ours, buildBatch(users, { finished: undefined, last: undefined }))
      const raised = (await storage().users.findByName(users[0]?.username ?? ''))?.user_id ?? 0
      await storage().users.edit(raised, { superuser: true }, NOW)
      await imports().beginUndo(import_id, ours, 'cancelled')
      expect(await undoAll(import_id)).toBe('undone')
      expect(await named(users)).toMatchObject([{ user_id: raised }])
    })
  })

  describe('a runner that is not heard any more', () => {
    it('loses its run to one other, and its check to nobody', async () => {
      const checking = await receive()
      await imports().beginCheck(checking, ours)
      await newPerson()
      const import_id = await running()
      const at = NOW + HOUR
      expect(await imports().takeOver({ runner: 'theirs', at }, NOW)).toEqual([])
      await imports().beat([import_id, checking], { runner: 'ours', at: NOW + 1 })
      await imports().beat([import_id, checking], { runner: 'theirs', at: NOW + 5 })
      expect(await imports().takeOver({ runner: 'theirs', at }, NOW + 1)).toEqual([])
      const taken = await atOnce(4, (index) => imports().takeOver({ runner: `their ${index}`, at }, NOW + 2))
      expect(taken.flat()).toEqual([{ import_id, begun_by: person() }])
      expect(await imports().insert(import_id, ours, buildBatch([buildImported()]))).toBe('gone')
      expect(await imports().find(import_id)).toMatchObject({ state: 'undoing', reason: 'interrupted' })
      expect(await imports().find(checking)).toMatchObject({ state: 'receiving', reason: 'interrupted' })
      expect(await imports().endCheck(checking, ours)).toBe(false)
      expect(await imports().beginCheck(checking, theirs)).toBe(true)
      expect(await undoAll(import_id)).toBe('undone')
    })

    it('lets go of all it has when it ends', async () => {
      const import_id = await running()
      await imports().beginUndo(import_id, ours, 'not_allowed')
      await imports().release('theirs')
      expect(await imports().takeOver(theirs, NOW - HOUR)).toEqual([])
      await imports().release('ours')
      expect(await imports().takeOver(theirs, NOW - HOUR)).toEqual([{ import_id, begun_by: person() }])
      expect(await imports().find(import_id)).toMatchObject({ state: 'undoing', reason: 'not_allowed' })
      await undoAll(import_id)
    })
  })
})
