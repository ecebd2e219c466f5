import { fileURLToPath } from 'node:url'
import { runProgram } from '../child.ts'
import type { Figure, Section } from '../figure.ts'
import type { Round } from '../programs/checkpoint-rounds.ts'
import { copyOf, seeded } from '../seed.ts'
import { largest, median } from '../statistics.ts'

const ROUNDS = fileURLToPath(new URL('../programs/checkpoint-rounds.ts', import.meta.url))
const USERS = 100_000

export const checkpoint: Section = {
  name: 'checkpoint',
  title: 'Checkpoint at 100,000 users, under light writes',
  async run(bench) {
    const directory = copyOf(bench, await seeded(bench, USERS))
    const rounds: Round[] = JSON.parse(await runProgram(ROUNDS, [directory, String(USERS), String(bench.rounds(12))]))
    return figuresOf(rounds)
  },
}

function figuresOf(rounds: readonly Round[]): Figure[] {
  const of = (pick: (round: Round) => number) => median(rounds.map(pick))
  const worstOwn = largest(rounds.map(({ busy }) => busy.ownLongest))
  return [
    {
      what: 'longest hold of the event loop by our own work, worst checkpoint',
      value: worstOwn,
      unit: 'ms',
      bar: { atMost: 20 },
      note: 'processor time of the main thread between two turns of the loop: what other programs take away is not in it; the system counts it in steps of a few milliseconds; what is over 10 ms is always the first checkpoint of a process, and not of every process; the profile gives our own functions less than 10 ms of it, and the rest was not explained',
    },
    {
      what: 'longest hold by our own work, worst of the same times without a checkpoint',
      value: largest(rounds.map(({ calm }) => calm.ownLongest)),
      unit: 'ms',
    },
    {
      what: 'longest gap on the clock, median checkpoint',
      value: of(({ busy }) => busy.longest),
      unit: 'ms',
      bar: { atMost: 20 },
    },
    {
      what: 'longest gap on the clock, median of the same times without',
      value: of(({ calm }) => calm.longest),
      unit: 'ms',
    },
    {
      what: 'longest gap on the clock, worst checkpoint',
      value: largest(rounds.map(({ busy }) => busy.longest)),
      unit: 'ms',
    },
    {
      what: 'longest gap on the clock, worst without',
      value: largest(rounds.map(({ calm }) => calm.longest)),
      unit: 'ms',
    },
    { what: 'p99.9 of the gaps, during', value: of(({ busy }) => busy.p999), unit: 'ms' },
    { what: 'p99.9 of the gaps, without', value: of(({ calm }) => calm.p999), unit: 'ms' },
    { what: 'a checkpoint lasts', value: of(({ lasted }) => lasted), unit: 'ms' },
  ]
}
