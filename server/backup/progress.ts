/** How far a long piece of work is. */
export interface Progress {
  /** Begins with something else. */
  step(what: Step): void
  at(bytes: number, of: number): void
}

export type Step = 'gathering' | 'encrypting' | 'unpacking' | 'proving' | 'ending' | 'placing'
