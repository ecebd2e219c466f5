import { createReadStream } from 'node:fs'
import { createConfig } from '../config.ts'
import { createLineReader, LONGEST_LINE } from '../domain/audit-file.ts'
import { createAuditSeal } from '../domain/audit-seal.ts'
import { createVerification, type Fault, type Report } from '../domain/audit-verification.ts'
import { readKeyring } from '../keyring.ts'
import { DATA_DIR_OPTION, defineCommand, JSON_OPTION, only, UsageError } from './command.ts'
import { printJson, printProblem, printText } from './output.ts'

/** Whose key signed: that of this machine's data directory, another, or not known because there is none here. */
type Signer = 'this server' | 'another' | 'unknown'

/** What to make of an export: only what is `intact` is proved to be whole and to come from the server in question. */
type Verdict = 'broken' | 'not the key demanded' | 'not our key' | 'not proved whose' | 'intact'

/** Checks an exported audit. */
export const auditVerify = defineCommand({
  name: 'audit verify',
  takes: 'FILE',
  summary: 'check an exported audit: changed, missing, misplaced entries',
  options: {
    key: { type: 'string', value: 'KEY', help: 'the key that must have signed the export' },
    ...DATA_DIR_OPTION,
    ...JSON_OPTION,
  },
  notes: [
    "Ends with 0 when it is intact, and with 1 when it is not, or its key is not this server's; without a data directory or",
    '--key nothing proves whose it is.',
  ],
  async run({ values, positionals }) {
    const file = only(positionals, 'one file')
    const { key, json } = values
    if (key !== undefined && !/^[0-9a-f]{32}$/.test(key))
      throw new UsageError('--key takes the 32 characters that a seal names as its key.')
    const report = await verifyFile(file)
    const signer = await signerOf(report, createConfig({ dataDirectory: values['data-dir'] }).dataDirectory)
    const verdict = verdictOf(report, signer, key)
    if (json) {
      const consistent = report.fault_count === 0
      const foreign_key = key !== undefined && report.seal !== null && report.seal.key !== key
      printJson({ intact: verdict === 'intact', consistent, foreign_key, signer, ...report })
    } else tell(report, verdict)
    return verdict === 'intact' || verdict === 'not proved whose' ? 0 : 1
  },
})

/** Reads a file line by line and checks it. Rejects with `UsageError` when it cannot be read. */
export async function verifyFile(file: string): Promise<Report> {
  const verification = createVerification()
  const read = createLineReader()
  let number = 0
  let isOpen = false
  for await (const lines of linesOf(file)) {
    for (const line of lines) {
      number += 1
      const found = read(line)
      isOpen = found === 'unfinished'
      verification.take(found, number)
    }
  }
  if (isOpen) verification.take('unreadable', number)
  return verification.end()
}

/** Many at a time: a turn of the event loop for each would cost as much as checking it. */
async function* linesOf(file: string): AsyncGenerator<string[]> {
  let rest = ''
  const stream = createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 20 })
  try {
    for await (const chunk of stream) {
      const lines = `${rest}${chunk}`.split('\n')
      // One more than a line may have, so that it is still too long.
      rest = (lines.pop() ?? '').slice(0, LONGEST_LINE + 1)
      yield lines
    }
  } catch (error) {
    throw new UsageError(`The file cannot be read: ${error instanceof Error ? error.message : String(error)}.`)
  }
  if (rest !== '') yield [rest]
}

async function signerOf({ seal }: Report, directory: string): Promise<Signer> {
  const keyring = await readKeyring(directory).catch(() => undefined)
  if (!keyring || !seal) return 'unknown'
  return createAuditSeal(keyring.auditSeal).key === seal.key ? 'this server' : 'another'
}

function verdictOf({ fault_count, seal }: Report, signer: Signer, key: string | undefined): Verdict {
  if (fault_count > 0) return 'broken'
  if (key !== undefined) return seal?.key === key ? 'intact' : 'not the key demanded'
  if (signer === 'another') return 'not our key'
  return signer === 'unknown' ? 'not proved whose' : 'intact'
}

function tell(report: Report, verdict: Verdict): void {
  for (const fault of report.faults) printProblem(textOf(fault))
  const untold = report.fault_count - report.faults.length
  if (untold > 0) printProblem(`And ${untold} more faults.`)
  const { entries, first_seq, last_seq, complete, seal } = report
  const which = first_seq === null ? 'no entries' : `${entries} entries, ${first_seq} to ${last_seq}`
  const chosen = complete ? '' : `, filtered by ${harmless(JSON.stringify(seal?.filter))}`
  printText(`${HEADLINES[verdict]}: ${which}${chosen}${ADVICE[verdict]}.`)
  if (seal) printText(`Exported ${seal.exported_at}. The seal names the key ${harmless(seal.key)}.`)
}

const HEADLINES: Record<Verdict, string> = {
  broken: 'NOT INTACT',
  'not the key demanded': 'NOT INTACT, signed with another key than the one demanded',
  'not our key': "Signed with another key than this server's",
  'not proved whose': 'Consistent, but it is not proved whose',
  intact: 'Intact',
}

const ADVICE: Record<Verdict, string> = {
  broken: '',
  'not the key demanded': '',
  'not our key': '; if it comes from another server, demand the key of that one with --key',
  'not proved whose': ', compare the key with that of the server it came from',
  intact: '',
}

/** Whoever wrote the file must not steer the terminal with it. */
function harmless(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
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
