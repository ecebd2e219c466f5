import type { DesktopBridge } from '../api/desktop.ts'

declare global {
  interface Window {
    /** Put there by the desktop app, and only in its own window. */
    readonly latchkey?: DesktopBridge
  }
}

/** What only the desktop app can do; undefined in a browser. Functions of api/desktop.ts, each judged by the app. */
export function desktopApp(): DesktopBridge | undefined {
  return typeof window === 'undefined' ? undefined : window.latchkey
}

/** Pages that the app opens in the browser of the system; any other place there is the first page. */
const OPENABLE = ['/account', '/users', '/login', '/settings'] as const

/** Shows a page of ours in the browser that the person knows, because what follows must not happen in a window of ours. */
export async function openInBrowser(app: DesktopBridge, path: string): Promise<boolean> {
  try {
    await app.openInBrowser(OPENABLE.find((one) => one === path) ?? '/')
    return true
  } catch {
    return false
  }
}
