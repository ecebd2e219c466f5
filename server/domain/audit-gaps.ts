/** Entries by their numbers that were not met yet, as ranges in order. */
export interface Gaps {
  add(from: number, to: number): void
  /** Takes one out. False: it was not among them. */
  fill(seq: number): boolean
  ranges(): readonly (readonly [from: number, to: number])[]
}

export function createGaps(): Gaps {
  const gaps: [from: number, to: number][] = []

  /** Where the range is that ends at this number or later. */
  function placeOf(seq: number): number {
    let [low, high] = [0, gaps.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((gaps[middle]?.[1] ?? Infinity) < seq) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    add(from, to) {
      if (from <= to) gaps.splice(placeOf(from), 0, [from, to])
    },
    fill(seq) {
      const at = placeOf(seq)
      const [from, to] = gaps[at] ?? [Infinity, -Infinity]
      if (seq < from || seq > to) return false
      const left: [number, number][] = [
        [from, seq - 1],
        [seq + 1, to],
      ]
      gaps.splice(at, 1, ...left.filter(([first, last]) => first <= last))
      return true
    },
    ranges: () => gaps,
  }
}
