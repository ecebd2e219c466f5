import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createAcknowledged, createRandom, runRound } from './round.ts'

it(
  'killed at 20 random moments, with checkpoints running, the database keeps every acknowledged write',
  { timeout: 180_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-crash-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const seed = 20261122
    const random = createRandom(seed)
    const acknowledged = createAcknowledged()
    let checkpoints = 0
    for (let round = 1; round <= 20; round++) {
      const result = await runRound({ directory, checkpointBytes: 16_000, random, acknowledged })
      expect(
        result.faults,
        `seed ${seed}, round ${round}, killed ${result.killedAfterMs} ms after ${result.killedAfter}`,
      ).toEqual([])
      checkpoints += result.checkpoints
    }
    expect(Math.min(...acknowledged.highest)).toBeGreaterThan(20)
    expect(checkpoints).toBeGreaterThan(0)
  },
)
