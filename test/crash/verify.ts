/** Opens a directory after a crash, in a fresh process, and prints a `Verdict`. Started as `node verify.ts DIRECTORY`. */
import { CompiledQuery } from 'kysely'
import { openSqljs } from '../../server/storage/sqljs/open.ts'
import { WRITERS, bodyOf } from './tables.ts'
import type { CrashTables, Verdict } from './tables.ts'

const { read, close } = await openSqljs({ directory: process.argv[2] ?? '', checkpointBytes: Infinity })
const verdict: Verdict = { highest: [], used: [], faults: [] }

const [integrity] = read<{ integrity_check: string }>(CompiledQuery.raw('pragma integrity_check'))
if (integrity?.integrity_check !== 'ok') verdict.faults.push(`integrity_check: ${integrity?.integrity_check}`)

const rows = CompiledQuery.raw('select number, body from rows where writer = ? order by number')
const twins = CompiledQuery.raw('select number from twins where writer = ? order by id')
const used = CompiledQuery.raw('select number from tokens where writer = ? and used = 1 order by number')
for (let writer = 0; writer < WRITERS; writer++) {
  const found = read<CrashTables['rows']>(rows, [writer])
  found.forEach(({ number, body }, index) => {
    if (number !== index + 1) verdict.faults.push(`writer ${writer}: row ${index + 1} is missing`)
    if (body !== bodyOf(writer, number)) verdict.faults.push(`writer ${writer}: row ${number} holds something else`)
  })
  const pairs = read<CrashTables['twins']>(twins, [writer])
  if (pairs.length !== found.length || pairs.some(({ number }, index) => number !== index + 1))
    verdict.faults.push(`writer ${writer}: half a transaction`)
  verdict.highest.push(found.length)
  verdict.used.push(read<CrashTables['tokens']>(used, [writer]).map(({ number }) => number))
}
await close()
process.stdout.write(JSON.stringify(verdict))
