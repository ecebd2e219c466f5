/** The part of electron-updater that is used. */
export interface Updater {
  autoDownload: boolean
  autoInstallOnAppQuit: boolean
  checkForUpdates(): Promise<{ isUpdateAvailable: boolean; updateInfo: { version: string } } | null>
  downloadUpdate(): Promise<unknown>
  quitAndInstall(): void
}

export interface UpdatesDeps {
  /** Loaded at its first use; absent where the program does not update itself: in development, and from a package of the system. */
  load: (() => Promise<Updater>) | undefined
  askFirst: () => boolean
  /** Whether a person wants this version now. */
  wanted: (version: string) => Promise<boolean>
  /** The server has to have stopped before the program is replaced. */
  stopServer: () => Promise<void>
  log: (text: string) => void
}

export type UpdateOutcome = 'none' | 'found' | 'unavailable'

export interface Updates {
  /** What the menu says. */
  mode(): 'none' | 'ask' | 'automatic'
  check(): Promise<UpdateOutcome>
}

/** New versions. Nothing is fetched before somebody agreed, unless he said once that he need not be asked. */
export function createUpdates({ load, askFirst, wanted, stopServer, log }: UpdatesDeps): Updates {
  let loaded: Promise<Updater> | undefined
  let checking: Promise<UpdateOutcome> | undefined

  async function look(from: () => Promise<Updater>): Promise<UpdateOutcome> {
    try {
      const updater = await (loaded ??= from())
      updater.autoDownload = false
      updater.autoInstallOnAppQuit = false
      const found = await updater.checkForUpdates()
      if (!found?.isUpdateAvailable) return 'none'
      void install(updater, found.updateInfo.version).catch((error: unknown) => failed(error))
      return 'found'
    } catch (error) {
      failed(error)
      return 'unavailable'
    }
  }

  async function install(updater: Updater, version: string): Promise<void> {
    if (askFirst() && !(await wanted(version))) return
    await updater.downloadUpdate()
    // Without having asked, it waits for the person to quit.
    if (!askFirst()) {
      updater.autoInstallOnAppQuit = true
      return
    }
    await stopServer()
    updater.quitAndInstall()
  }

  function failed(error: unknown): void {
    log(`Updates: ${error instanceof Error ? error.message : String(error)}`)
  }

  return {
    mode: () => (load === undefined ? 'none' : askFirst() ? 'ask' : 'automatic'),
    check() {
      if (!load) return Promise.resolve('unavailable')
      const from = load
      checking ??= look(from).finally(() => (checking = undefined))
      return checking
    },
  }
}
