import { mayLoad } from './navigation.ts'

/** The part of Electron's `Session` that is locked down. */
export interface Lockable {
  setPermissionRequestHandler(
    handler: (contents: unknown, permission: string, answer: (granted: boolean) => void) => void,
  ): void
  setPermissionCheckHandler(handler: () => boolean): void
  setDevicePermissionHandler(handler: () => boolean): void
  setSpellCheckerEnabled(enable: boolean): void
  webRequest: {
    onBeforeRequest(listener: (details: { url: string }, answer: (response: { cancel: boolean }) => void) => void): void
  }
}

/**
 * The console needs no camera, no place, no notifications, no devices: all of it is refused, asked or not. And it loads
 * nothing but what our own server gives it; the spell checker, which fetches its words from elsewhere, is off.
 */
export function lockSession(session: Lockable, origin: () => string | undefined): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false))
  session.setPermissionCheckHandler(() => false)
  session.setDevicePermissionHandler(() => false)
  session.setSpellCheckerEnabled(false)
  session.webRequest.onBeforeRequest(({ url }, answer) => answer({ cancel: !mayLoad(url, origin()) }))
}
