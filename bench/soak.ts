/**
 * Kills the embedded database over and over and checks that no acknowledged write is lost: `npm run soak -- [ROUNDS] [SEED]`.
 * Prints the seed; the same seed gives the same kill moments and checkpoint sizes. Exit code 1 when anything was lost.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAcknowledged, createRandom, runRound } from '../test/crash/round.ts'

const [roundsText = '200', seedText = String(process.hrtime.bigint() % 1_000_000_000n)] = process.argv.slice(2)
const rounds = Number(roundsText)
const random = createRandom(Number(seedText))
/** Every so many rounds a new directory, so that first openings are killed too. */
const ROUNDS_PER_DIRECTORY = 25

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function createDirectory() {
  return { directory: mkdtempSync(join(tmpdir(), 'latchkey-soak-')), acknowledged: createAcknowledged() }
}

print(`soak: ${rounds} rounds, seed ${seedText}`)
const start = performance.now()
const total = { rows: 0, tokens: 0, checkpoints: 0, faults: 0 }
let place = createDirectory()
for (let round = 1; round <= rounds; round++) {
  const checkpointBytes = Math.round(4_000 + random() ** 2 * 200_000)
  const result = await runRound({ ...place, checkpointBytes, random })
  total.rows += result.rows
  total.tokens += result.tokens
  total.checkpoints += result.checkpoints
  total.faults += result.faults.length
  for (const fault of result.faults) print(`round ${round}: ${fault} (kept in ${place.directory})`)
  if (round % 10 === 0)
    print(
      `round ${round}/${rounds}: ${total.rows} rows, ${total.tokens} tokens, ${total.checkpoints} checkpoints, ${total.faults} faults`,
    )
  if (round % ROUNDS_PER_DIRECTORY !== 0 && round !== rounds) continue
  if (total.faults === 0) rmSync(place.directory, { recursive: true, force: true })
  if (round !== rounds) place = createDirectory()
}
const seconds = Math.round((performance.now() - start) / 1000)
print(
  `soak: ${total.faults === 0 ? 'nothing acknowledged was lost' : `${total.faults} FAULTS`} in ${rounds} kills, ${total.rows + total.tokens} acknowledged writes, ${total.checkpoints} checkpoints, ${seconds} s (seed ${seedText})`,
)
process.exitCode = total.faults === 0 ? 0 : 1
