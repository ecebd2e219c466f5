import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { latchkeyProgram, startLatchkey } from '../child.ts'
import type { Bench, Figure, Section } from '../figure.ts'
import { copyOf, seeded } from '../seed.ts'
import { median } from '../statistics.ts'

const TIMES = 8
const IDLE = 10_000

export const startUp: Section = {
  name: 'start-up',
  title: 'Start and idle memory',
  async run(bench) {
    const many = await seeded(bench, 100_000)
    const empty: number[] = []
    const full: number[] = []
    const cached: number[] = []
    const cache = bench.scratch('compile-cache')
    await firstAnswer(bench.scratch('warm'), { NODE_COMPILE_CACHE: cache })
    for (let round = 0; round < bench.rounds(TIMES); round++) {
      empty.push(await firstAnswer(bench.scratch('empty')))
      cached.push(await firstAnswer(bench.scratch('empty'), { NODE_COMPILE_CACHE: cache }))
      full.push(await firstAnswer(copyOf(bench, many)))
    }
    const which = latchkeyProgram().built ? 'dist/server/main.js' : 'server/main.ts, not built'
    return [
      {
        what: 'empty directory: start of the process to the first answer',
        value: median(empty),
        unit: 's',
        bar: { atMost: 1.5 },
        note: `${which}; GET /api/health, after the ready line; no compile cache`,
      },
      { what: 'the same with a compile cache, as `npm start` has', value: median(cached), unit: 's' },
      {
        what: '100,000 users: start of the process to the first answer',
        value: median(full),
        unit: 's',
        bar: { atMost: 4 },
      },
      ...(await idleMemory(bench)),
    ]
  },
}

async function firstAnswer(directory: string, env: NodeJS.ProcessEnv = {}): Promise<number> {
  const started = performance.now()
  const child = await startLatchkey(directory, env)
  const answer = await fetch(new URL('/api/health', child.url))
  const seconds = (performance.now() - started) / 1000
  await answer.text()
  await child.stop()
  if (!answer.ok) throw new Error(`The first answer was ${answer.status}`)
  return seconds
}

/** What the system says that the process holds, ten seconds after its start; no garbage collection is forced. */
async function idleMemory(bench: Bench): Promise<Figure[]> {
  if (process.platform !== 'linux') return []
  const child = await startLatchkey(bench.scratch('idle'))
  await pause(bench.quick ? 2_000 : IDLE)
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  await child.stop()
  const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
  const note = 'VmRSS after ten idle seconds; no garbage collection is forced'
  return [
    { what: 'idle memory of the empty server', value: megabytes('VmRSS'), unit: 'MB', bar: { atMost: 120 }, note },
    { what: 'of it private, not file pages', value: megabytes('RssAnon'), unit: 'MB' },
  ]
}
