import { createConfig, type Config } from '../config.ts'
import { reachServer } from '../control/channel.ts'
import { StorageOpenError } from '../storage/errors.ts'
import { type Examined, examineDatabase } from '../storage/sqljs/examine.ts'
import { readdir } from 'node:fs/promises'
import { defineCommand, HOUSE_OPTIONS, nothing } from './command.ts'
import { checkCertificates } from './doctor/certificate.ts'
import { checkClock, checkDirectory, checkDisk, checkKeyring, checkLeftovers } from './doctor/files.ts'
import { type Finding, type Patient, problem } from './doctor/finding.ts'
import { checkDatabase, checkPort, checkWayBack } from './doctor/server.ts'
import { printJson, printText } from './output.ts'
import { databaseOf, portOf } from './values.ts'

const CHECKS = [
  checkDirectory,
  checkKeyring,
  checkDatabase,
  checkDisk,
  checkClock,
  checkPort,
  checkCertificates,
  checkWayBack,
  checkLeftovers,
]
const MARKS: Record<Finding['level'], string> = { ok: 'ok', warning: 'WARNING', problem: 'PROBLEM' }

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'look whether everything is as it should be, and say what to do where it is not',
  options: {
    port: { type: 'string', value: 'NUMBER', help: 'the port that the server is to have (default 8787)' },
    host: { type: 'string', value: 'ADDRESS', help: 'the address that it is to listen on (default 127.0.0.1)' },
    'tls-cert': { type: 'string', value: 'FILE', help: 'the certificate that it is started with' },
    ...HOUSE_OPTIONS,
  },
  notes: ['Changes nothing, and asks no other machine. Ends with 1 when there is a problem; a warning is none.'],
  async run({ values, positionals }) {
    nothing(positionals)
    const config = createConfig({
      port: portOf(values.port),
      host: values.host,
      tlsCert: values['tls-cert'],
      dataDirectory: values['data-dir'],
      database: databaseOf(values.database),
    })
    const findings = await examine(config, Date.now())
    const healthy = findings.every(({ level }) => level !== 'problem')
    if (values.json) printJson({ healthy, findings })
    else for (const finding of findings) tell(finding)
    return healthy ? 0 : 1
  },
})

export async function examine(config: Config, now: number): Promise<Finding[]> {
  const { status, trouble } = await askServer(config.dataDirectory)
  const database = status ? undefined : await readDatabase(config)
  const patient: Patient = { config, now, status, database }
  const [directory, ...others] = CHECKS
  const first = directory ? await directory(patient) : []
  const isThere = await readdir(config.dataDirectory).then(
    () => true,
    () => false,
  )
  // Of a directory that is not there nothing else can be said, but what a restore has left beside it.
  const rest = isThere ? others : [checkLeftovers]
  return [...trouble, ...first, ...(await Promise.all(rest.map((check) => check(patient)))).flat()]
}

/** How the server says that it is; a server that does not answer well is a finding of its own. */
async function askServer(directory: string): Promise<{ status: Patient['status']; trouble: Finding[] }> {
  try {
    const server = await reachServer(directory)
    return { status: await server?.acts.status({}), trouble: [] }
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error)
    return { status: undefined, trouble: [problem('server', says, 'Look at its log; stop it and start it again.')] }
  }
}

async function readDatabase({ dataDirectory, database }: Config): Promise<Examined | Patient['database']> {
  const names = await readdir(dataDirectory).catch(() => [])
  if (database !== undefined || !names.some((name) => /\.(snapshot|journal)$/.test(name))) return undefined
  try {
    return await examineDatabase(dataDirectory)
  } catch (error) {
    const isLocked = error instanceof StorageOpenError && error.code === 'DATA_DIR_LOCKED'
    return { unread: error instanceof Error ? error.message : String(error), isLocked }
  }
}

function tell({ check, level, says, advice }: Finding): void {
  printText(`${MARKS[level].padEnd(7)}  ${check}: ${says}`)
  if (advice !== undefined) printText(`${' '.repeat(9)}${advice}`)
}
