const KEPT = 2_000

/** The end of what a stream says, to be shown when the one who said it has died. */
export function lastWordsOf(stream: NodeJS.ReadableStream | null): () => string {
  let kept = ''
  stream?.on('data', (chunk: Buffer | string) => {
    kept = `${kept}${String(chunk)}`.slice(-KEPT)
  })
  return () => kept.trim()
}
