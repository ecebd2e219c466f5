import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import type { Outcome, Refused } from '../../api/client.ts'
import type { ImportRow, ImportStatus } from '../../api/user-imports.ts'
import { mergedFaults } from '../import-faults.ts'
import { openUserFile, UnreadableFile, type UserFile } from '../read-user-file.ts'
import type { FileProblem } from '../user-file.ts'
import { useImportJob } from './use-import-job.ts'

export type ImportStep = 'choose' | 'sending' | 'checking' | 'preview' | 'running' | 'undoing' | 'over'

const SAMPLE = 5

/** The import of a file of users, step by step as the person sees it. */
export function useUserImport() {
  const job = useImportJob()
  const { status } = job
  const step = ref<ImportStep>('choose')
  const file = shallowRef<UserFile>()
  const sample = shallowRef<ImportRow[]>([])
  const damaged = shallowRef<number[]>([])
  const sent = ref(0)
  const problem = shallowRef<FileProblem>()
  const error = shallowRef<Refused>()
  let under = new AbortController()

  const faulty = computed(() => (status.value?.faulty ?? 0) + damaged.value.length)
  const sound = computed(() => (status.value ? status.value.rows - status.value.faulty : 0))
  const faults = computed(() => mergedFaults(status.value?.faults ?? [], damaged.value))
  /** Something is under way that would be lost. */
  const atWork = computed(() => ['sending', 'checking', 'running', 'undoing'].includes(step.value))

  async function take(chosen: File): Promise<void> {
    reset()
    const { signal } = (under = new AbortController())
    step.value = 'sending'
    try {
      const opened = await openUserFile(chosen)
      if (signal.aborted) return
      file.value = opened
      await sendAndCheck(opened, signal)
    } catch (fault) {
      if (!(fault instanceof UnreadableFile)) throw fault
      giveUp(fault.problem)
    }
  }

  async function sendAndCheck(opened: UserFile, signal: AbortSignal): Promise<void> {
    const begun = await job.begin(signal)
    if (!begun.ok) return refuse(begun, signal)
    let refused: Refused | undefined
    await opened.read(async ({ rows, damaged: lines }) => {
      if (sample.value.length < SAMPLE) sample.value = [...sample.value, ...rows].slice(0, SAMPLE)
      damaged.value = [...damaged.value, ...lines]
      refused = await job.send(rows, signal)
      sent.value = rows.at(-1)?.line ?? sent.value
      return refused === undefined && !signal.aborted
    })
    if (refused) return refuse({ ok: false, error: refused }, signal)
    if (signal.aborted) return
    if (sent.value === 0 && damaged.value.length === 0) return giveUp({ kind: 'empty' })
    step.value = 'checking'
    const checked = sent.value === 0 ? undefined : await job.check(signal)
    if (checked && !checked.ok) return refuse(checked, signal)
    if (!signal.aborted) step.value = 'preview'
  }

  async function run(): Promise<void> {
    step.value = 'running'
    const outcome = await job.run((status.value?.faulty ?? 0) > 0, under.signal)
    if (outcome.ok) step.value = 'over'
    // It was over before the cancel arrived, and is forgotten: all of it is there.
    else if (outcome.error.code === 'IMPORT_NOT_FOUND' && status.value) concludeDone(status.value)
    else refuse(outcome, under.signal)
  }

  function concludeDone(last: ImportStatus): void {
    status.value = { ...last, state: 'done', imported: last.rows - last.faulty, reason: null }
    step.value = 'over'
  }

  /** Takes back what is under way. A run is seen to its end: until nothing of it is left. */
  async function cancel(): Promise<void> {
    if (step.value === 'running') {
      step.value = 'undoing'
      await job.cancelRun()
    } else if (step.value !== 'undoing') {
      reset()
      await job.drop()
    }
  }

  function refuse(outcome: Outcome<unknown>, signal: AbortSignal): void {
    if (outcome.ok || signal.aborted) return
    reset()
    error.value = outcome.error
    void job.drop()
  }

  function giveUp(why: FileProblem): void {
    reset()
    problem.value = why
    void job.drop()
  }

  function reset(): void {
    under.abort()
    step.value = 'choose'
    status.value = undefined
    file.value = undefined
    sample.value = []
    damaged.value = []
    sent.value = 0
    problem.value = undefined
    error.value = undefined
  }

  window.addEventListener('pagehide', job.dropWhileLeaving)
  onScopeDispose(() => {
    under.abort()
    window.removeEventListener('pagehide', job.dropWhileLeaving)
    void job.drop()
  })

  return { step, status, file, sample, sent, problem, error, faulty, sound, faults, atWork, take, run, cancel, reset }
}

export type UserImport = ReturnType<typeof useUserImport>
