import { shallowRef } from 'vue'
import type { Outcome } from '../../api/client.ts'
import type { ImportRow, ImportState, ImportStatus } from '../../api/user-imports.ts'
import { client, parting } from '../api.ts'
import { useConnection } from '../stores/connection.ts'
import { PART_ROWS } from '../user-file.ts'

const EVERY = 500
/** Of the 64 KiB that a body may have; the rest is for what stands around the rows. */
const PART_BYTES = 60_000
const AT_WORK: ReadonlySet<ImportState> = new Set(['checking', 'running', 'undoing'] as const)

/** One import on the server, from beginning to end. A server that is away for a while is waited for. */
export function useImportJob() {
  const connection = useConnection()
  const status = shallowRef<ImportStatus>()
  let import_id = ''
  let part = 0

  async function begin(signal: AbortSignal) {
    status.value = undefined
    const outcome = await patiently(() => client.userImports.begin({}, { signal }), signal)
    import_id = outcome.ok ? outcome.data.import_id : ''
    part = 0
    return outcome
  }

  /** Sends rows, in as many parts as they need. Undefined: all arrived. */
  async function send(rows: readonly ImportRow[], signal: AbortSignal) {
    for (const some of partsOf(rows)) {
      const body = { part, rows: some }
      const call = () => client.userImports.addPart({ params: { import_id }, body }, { signal })
      const outcome = await patiently(call, signal)
      if (!outcome.ok) return outcome.error
      part++
    }
    return undefined
  }

  async function check(signal: AbortSignal): Promise<Outcome<ImportStatus>> {
    const outcome = await patiently(() => client.userImports.check({ params: { import_id } }, { signal }), signal)
    const last = outcome.ok ? await follow(outcome.data, signal) : outcome
    // Broken off with its server: nothing is lost, it can be checked again.
    return last.ok && last.data.state === 'receiving' ? check(signal) : last
  }

  async function run(skip_faulty: boolean, signal: AbortSignal) {
    const outcome = await client.userImports.run({ params: { import_id }, body: { skip_faulty } }, { signal })
    return outcome.ok ? follow(outcome.data, signal) : outcome
  }

  /** Asks until the server has come to rest. */
  async function follow(first: ImportStatus, signal: AbortSignal): Promise<Outcome<ImportStatus>> {
    let now = first
    for (;;) {
      status.value = now
      if (!AT_WORK.has(now.state)) return { ok: true, data: now }
      await new Promise((resolve) => setTimeout(resolve, EVERY))
      const outcome = await patiently(() => client.userImports.read({ params: { import_id } }, { signal }), signal)
      if (!outcome.ok) return outcome
      now = outcome.data
    }
  }

  async function patiently<O extends Outcome<unknown>>(call: () => Promise<O>, signal: AbortSignal): Promise<O> {
    for (;;) {
      const outcome = await call()
      if (outcome.ok || outcome.error.code !== 'UNREACHABLE' || signal.aborted) return outcome
      await connection.lost()
    }
  }

  /** Has a run taken back; following it tells when that is done. */
  async function cancelRun(): Promise<void> {
    await client.userImports.remove({ params: { import_id } })
  }

  /** Breaks it off, whatever it is at. What is over stays as it is. */
  async function drop(): Promise<void> {
    const params = { import_id }
    import_id = ''
    if (params.import_id) await client.userImports.remove({ params })
  }

  function dropWhileLeaving(): void {
    if (import_id) void parting.userImports.remove({ params: { import_id } })
  }

  return { status, begin, send, check, run, cancelRun, drop, dropWhileLeaving }
}

function* partsOf(rows: readonly ImportRow[]): Generator<ImportRow[]> {
  const encoder = new TextEncoder()
  let some: ImportRow[] = []
  let bytes = 0
  for (const row of rows) {
    const size = encoder.encode(JSON.stringify(row)).length + 1
    if (some.length > 0 && (bytes + size > PART_BYTES || some.length === PART_ROWS)) {
      yield some
      some = []
      bytes = 0
    }
    some.push(row)
    bytes += size
  }
  if (some.length > 0) yield some
}
