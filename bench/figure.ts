/** One line of the results. */
export interface Figure {
  what: string
  value: number
  unit: string
  /** What the value must keep to; a figure without one is there for comparison. */
  bar?: Bar
  /** How it was come by, when the name does not say. */
  note?: string
}

export type Bar = { atMost: number } | { atLeast: number }

/** A part of the benchmark that can be run alone. */
export interface Section {
  name: string
  title: string
  run: (bench: Bench) => Promise<Figure[]>
}

/** What a section is given. */
export interface Bench {
  /** Shorter and rougher: for working on the benchmark itself. */
  quick: boolean
  /** How often a comparison goes round. */
  rounds: (full: number) => number
  /** Reports progress, on standard error. */
  say: (line: string) => void
  /** A fresh directory that is removed at the end. */
  scratch: (name: string) => string
}

export function isMet({ value, bar }: Figure): boolean | undefined {
  if (bar === undefined) return undefined
  return 'atMost' in bar ? value <= bar.atMost : value >= bar.atLeast
}
