import { renameSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Files } from '../../../server/storage/sqljs/files.ts'
import { nodeFiles } from '../../../server/storage/sqljs/files.ts'
import { addItem, buildScratch, copyOf, createTables, itemNames, openScratch } from './scratch.ts'

/**
 * A disk that has only what was synced: writes reach the real files at the sync of their descriptor, renames at the
 * sync of their directory. So a copy of the directory is what a power loss would leave at worst.
 */
function createForgetfulFiles(): Files {
  const unsynced = new Map<number, { bytes: Uint8Array; at: number }[]>()
  const renames: [string, string][] = []
  const keep = (fd: number, bytes: Uint8Array, at: number): number => {
    unsynced.set(fd, [...(unsynced.get(fd) ?? []), { bytes: Uint8Array.from(bytes), at }])
    return bytes.length
  }
  const flush = (fd: number): void => {
    for (const { bytes, at } of unsynced.get(fd) ?? []) nodeFiles.writeSync(fd, bytes, at)
    unsynced.delete(fd)
  }
  return {
    ...nodeFiles,
    writeSync: keep,
    write: async (fd, bytes, at) => keep(fd, bytes, at),
    syncSync: flush,
    sync: async (fd) => flush(fd),
    close(fd) {
      unsynced.delete(fd)
      nodeFiles.close(fd)
    },
    rename: async (from, to) => void renames.push([from, to]),
    async syncDirectory() {
      for (const [from, to] of renames.splice(0)) renameSync(from, to)
    },
  }
}

it(
  'after a power loss at any acknowledgement, all that was acknowledged is on the disk, checkpoints or not',
  { timeout: 60_000 },
  async () => {
    const directory = buildScratch()
    const { db, checkpoint } = await openScratch(directory, {}, { files: createForgetfulFiles() })
    await createTables(db)
    const acknowledged: string[] = []
    for (let round = 0; round < 30; round++) {
      const checkpointing = round % 7 === 3 ? checkpoint() : undefined
      await addItem(db, `item ${round}`)
      acknowledged.push(`item ${round}`)
      const copy = await openScratch(copyOf(directory))
      expect(await itemNames(copy.db)).toEqual(acknowledged)
      await copy.close()
      await checkpointing
    }
  },
)
