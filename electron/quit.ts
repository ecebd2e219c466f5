export interface QuitDeps {
  stopServer: () => Promise<void>
  /** Ends the program for good. */
  quit: () => void
}

export interface Quit {
  /** Whether the program is on its way out: windows then close instead of hiding. */
  isQuitting(): boolean
  /** For Electron's `before-quit`: holds the end up until the server has drained and flushed. */
  beforeQuit(event: { preventDefault(): void }): void
  /** Stops the server and lets whoever asked end the program himself. */
  prepare(): Promise<void>
}

export function createQuit({ stopServer, quit }: QuitDeps): Quit {
  let stopping: Promise<void> | undefined
  let stopped = false

  function prepare(): Promise<void> {
    // A server that cannot be stopped must not keep the program from ending.
    stopping ??= stopServer()
      .catch(() => {})
      .then(() => void (stopped = true))
    return stopping
  }

  return {
    isQuitting: () => stopping !== undefined,
    prepare,
    beforeQuit(event) {
      if (stopped) return
      event.preventDefault()
      const isFirst = stopping === undefined
      const ending = prepare()
      if (isFirst) void ending.then(quit)
    },
  }
}
