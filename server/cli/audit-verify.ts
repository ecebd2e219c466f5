import { createReadStream } from 'node:fs'
import { createConfig } from '../config.ts'
import { createLineReader } from '../domain/audit-file.ts'
import { createAuditSeal } from '../domain/audit-seal.ts'
import { createVerification, type Fault, type Report } from '../domain/audit-verification.ts'
import { readKeyring } from '../keyring.ts'
import { parseAuditVerify, UsageError } from './arguments.ts'
import { printProblem, printText } from './output.ts'

/** A line of an export is far shorter; what is longer is none. */
const LONGEST_LINE = 4_000_000

/** Whose key signed: that of this machine's data directory, another, or not known because there is none here. */
type Signer = 'this server' | 'another' | 'unknown'

/** Checks an exported audit. Resolves with the exit code: 0 it is intact, 1 it is not. */
export async function verifyAudit(args: string[]): Promise<number> {
  const { file, key, dataDirectory, json } = parseAuditVerify(args)
  const report = await verifyFile(file)
  const signer = await signerOf(report, createConfig({ dataDirectory }).dataDirectory)
  const isForeign = key !== undefined && report.seal !== null && report.seal.key !== key
  const isIntact = report.fault_count === 0 && !isForeign
  if (json) printText(JSON.stringify({ intact: isIntact, foreign_key: isForeign, signer, ...report }))
  else tell(report, signer, isForeign)
  return isIntact ? 0 : 1
}

/** Reads a file line by line and checks it. Rejects with `UsageError` when it cannot be read. */
export async function verifyFile(file: string): Promise<Report> {
  const verification = createVerification()
  const read = createLineReader()
  let number = 0
  let open = ''
  for await (const lines of linesOf(file)) {
    for (const line of lines) {
      number += 1
      const found = read(open === '' ? line : open + line)
      open = found === 'unfinished' && open.length < LONGEST_LINE ? `${open}${line}\n` : ''
      verification.take(found, number)
    }
  }
  if (open !== '') verification.take('unreadable', number)
  return verification.end()
}

/** Many at a time: a turn of the event loop for each would cost as much as checking it. */
async function* linesOf(file: string): AsyncGenerator<string[]> {
  let rest = ''
  const stream = createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 20 })
  try {
    for await (const chunk of stream) {
      const lines = `${rest}${chunk}`.split('\n')
      rest = (lines.pop() ?? '').slice(0, LONGEST_LINE)
      yield lines.map(withoutReturn)
    }
  } catch (error) {
    throw new UsageError(`The file cannot be read: ${error instanceof Error ? error.message : String(error)}.`)
  }
  if (rest !== '') yield [withoutReturn(rest)]
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

async function signerOf({ seal }: Report, directory: string): Promise<Signer> {
  const keyring = await readKeyring(directory).catch(() => undefined)
  if (!keyring || !seal) return 'unknown'
  return createAuditSeal(keyring.auditSeal).key === seal.key ? 'this server' : 'another'
}

function tell(report: Report, signer: Signer, isForeign: boolean): void {
  for (const fault of report.faults) printProblem(textOf(fault))
  const untold = report.fault_count - report.faults.length
  if (untold > 0) printProblem(`And ${untold} more faults.`)
  if (isForeign) printProblem(`It was signed with the key ${report.seal?.key}, which is not the one demanded.`)
  const { entries, first_seq, last_seq, complete, seal } = report
  const which = first_seq === null ? 'no entries' : `${entries} entries, ${first_seq} to ${last_seq}`
  const chosen = complete ? '' : `, filtered by ${JSON.stringify(seal?.filter)}`
  printText(`${report.fault_count > 0 || isForeign ? 'NOT INTACT' : 'Intact'}: ${which}${chosen}.`)
  if (seal) printText(`Exported ${seal.exported_at}. ${whose(seal.key, signer)}`)
}

function whose(key: string, signer: Signer): string {
  switch (signer) {
    case 'this server':
      return `Signed with the key of this data directory: ${key}.`
    case 'another':
      return `Signed with another key than that of this data directory: ${key}. Compare it with that of the server it came from.`
    case 'unknown':
      return `Signed with the key ${key}. Compare it with that of the server it came from.`
  }
}

function textOf(fault: Fault): string {
  switch (fault.fault) {
    case 'changed':
      return `Entry ${fault.seq} was changed.`
    case 'misplaced':
      return `Entry ${fault.seq} stands in the wrong place.`
    case 'doubled':
      return `Entry ${fault.seq} is there more than once.`
    case 'missing':
      return fault.from === fault.to
        ? `Entry ${fault.from} is missing.`
        : `Entries ${fault.from} to ${fault.to} are missing.`
    case 'unreadable':
      return `Line ${fault.line} cannot be read.`
    case 'no_seal':
      return 'There is no seal at the end: entries may have been cut off, or left out.'
    case 'seal_forged':
      return 'The seal was forged: it was not signed with the key that it names.'
    case 'entries_differ':
      return `The seal speaks of ${fault.sealed} entries, the file holds ${fault.found}.`
    case 'content_differs':
      return 'The seal does not fit: these are not the entries that were exported.'
    case 'after_seal':
      return `Line ${fault.line} stands after the seal.`
  }
}
