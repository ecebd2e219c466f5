import type { MenuItemConstructorOptions } from 'electron'
import type { LanState } from './server-messages.ts'
import type { DesktopTexts } from './texts.ts'

export interface TrayState {
  texts: DesktopTexts
  /** Where the server answers; undefined while it does not run. */
  url: string | undefined
  /** Undefined while that is not known. */
  lan: LanState | undefined
}

export interface TrayActs {
  show(): void
  openInBrowser(): void
  switchLan(on: boolean): void
  copy(address: string): void
  newStartupToken(): void
  quit(): void
}

/** The menu of the icon in the tray. */
export function trayTemplate({ texts, url, lan }: TrayState, acts: TrayActs): MenuItemConstructorOptions[] {
  return [
    { label: texts.show, click: acts.show },
    { type: 'separator' },
    url === undefined ? { label: texts.stopped, enabled: false } : { label: url, click: acts.openInBrowser },
    ...(lan === undefined || url === undefined
      ? []
      : [
          {
            label: texts.lan,
            type: 'checkbox' as const,
            checked: lan.on,
            click: ({ checked }: { checked: boolean }) => acts.switchLan(checked),
          },
          ...lan.urls.map((address) => ({ label: address, click: () => acts.copy(address) })),
        ]),
    { type: 'separator' },
    { label: texts.newStartupToken, enabled: url !== undefined, click: acts.newStartupToken },
    { type: 'separator' },
    { label: texts.quit, click: acts.quit },
  ]
}
