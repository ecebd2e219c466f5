/**
 * Does `act` for each item in turn, at most `most` at once. Once `stopped` says so nothing more is begun; what was
 * begun is waited for. Answers the items that were never begun.
 */
export async function runAtMost<T>(
  most: number,
  items: readonly T[],
  stopped: () => boolean,
  act: (item: T) => Promise<void>,
): Promise<T[]> {
  const waiting = [...items]
  const lane = async () => {
    for (;;) {
      if (stopped()) return
      const [item] = waiting.splice(0, 1)
      if (item === undefined) return
      await act(item)
    }
  }
  await Promise.all(Array.from({ length: most }, lane))
  return waiting
}
