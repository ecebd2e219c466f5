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
  /** Whether the package says where new versions are; else nobody is asked. */
  hasFeed: () => boolean
  askFirst: () => boolean
  /** Whether a person wants this version now. */
  wanted: (version: string) => Promise<boolean>
  /** The server has to have stopped before the program is replaced. */
  stopServer: () => Promise<void>
  log: (text: string) => void
}

export type UpdateOutcome = 'none' | 'found' | 'unavailable' | 'not-set-up'

export interface Updates {
  /** What the menu says. */
  mode(): 'none' | 'ask' | 'automatic'
  check(): Promise<UpdateOutcome>
}

/** New versions. Nothing is fetched before somebody agreed, unless he said once that he need not be asked. */
export function createUpdates({ load, hasFeed, askFirst, wanted, stopServer, log }: UpdatesDeps): Updates {
  let loaded: Promise<Updater> | undefined
  let checking: Promise<UpdateOutcome> | undefined

  async function look(from: () => Promise<Updater>): Promise<UpdateOutcome> {
    try {
      const updater = await (loaded ??= from())
      updater.autoDownload = false
      updater.autoInstallOnAppQuit = !askFirst()
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
    const asks = askFirst()
    if (asks && !(await wanted(version))) return
    // It must stand before the download: at its end the updater makes ready what is to happen at the quit, or does not.
    updater.autoInstallOnAppQuit = !asks
    await updater.downloadUpdate()
    // Without having asked, it waits for the person to quit.
    if (!asks) return
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
      if (!hasFeed()) return Promise.resolve('not-set-up')
      const from = load
      checking ??= look(from).finally(() => (checking = undefined))
      return checking
    },
  }
}
