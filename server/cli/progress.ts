import type { Progress, Step } from '../backup/progress.ts'

const STEPS: Record<Step, string> = {
  gathering: 'Making a snapshot of the database',
  encrypting: 'Encrypting',
  unpacking: 'Decrypting and unpacking',
  proving: 'Starting a server to see whether it works',
  ending: 'Ending old sessions and tokens',
  placing: 'Putting it in place',
}

/** Milliseconds between two updates of a line. */
const OFTEN = 200

/** Progress on standard error: one line a step, which moves where a person looks on. */
export function createProgress(quiet: boolean): Progress & { end(): void } {
  const { stderr } = process
  const moves = stderr.isTTY === true
  let step: string | undefined
  let shown_at = 0
  let isOpen = false

  function end(): void {
    if (isOpen) stderr.write('\n')
    isOpen = false
  }

  return {
    step(what) {
      if (quiet || step === STEPS[what]) return
      end()
      step = STEPS[what]
      shown_at = 0
      stderr.write(moves ? step : `${step} …\n`)
      isOpen = moves
    },
    at(bytes, of) {
      const now = performance.now()
      if (quiet || !moves || (now - shown_at < OFTEN && bytes < of)) return
      shown_at = now
      stderr.write(`\r${step}: ${Math.min(100, Math.floor((100 * bytes) / Math.max(of, 1)))} %, ${sizeOf(bytes)}   `)
    },
    end,
  }
}

export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  const units = ['KiB', 'MiB', 'GiB']
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length)
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`
}
