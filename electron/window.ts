import type { BrowserWindowConstructorOptions } from 'electron'
import { SMALLEST, type WindowState } from './window-state.ts'

/** Apart from everything else that the program might ever show. */
export const PARTITION = 'persist:console'

/** A window for our own page and nothing else. Every protection is named, so that no default of another version takes one away. */
export function windowOptions(preload: string, { x, y, width, height }: WindowState, icon?: string) {
  return {
    x,
    y,
    width,
    height,
    minWidth: SMALLEST.width,
    minHeight: SMALLEST.height,
    show: false,
    title: 'Latchkey',
    // As the page before its first paint; it draws its own in dark.
    backgroundColor: '#f6f4ef',
    ...(icon === undefined ? {} : { icon }),
    webPreferences: {
      preload,
      partition: PARTITION,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      safeDialogs: true,
      spellcheck: false,
    },
  } satisfies BrowserWindowConstructorOptions
}
