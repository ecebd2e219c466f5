import type { MenuItemConstructorOptions } from 'electron'
import type { DesktopTexts } from './texts.ts'

type Item = MenuItemConstructorOptions
type Role = NonNullable<Item['role']>

export interface MenuState {
  platform: NodeJS.Platform
  texts: DesktopTexts
  running: boolean
  updates: 'none' | 'ask' | 'automatic'
  isDevelopment: boolean
}

export interface MenuActs {
  newStartupToken(): void
  openLog(): void
  openFolder(): void
  openInBrowser(): void
  goTo(path: string): void
  checkForUpdates(): void
  askBeforeUpdate(ask: boolean): void
  quit(): void
}

const LINE: Item = { type: 'separator' }

/** The menu of the program, with the shortcuts of its platform. */
export function menuTemplate(state: MenuState, acts: MenuActs): Item[] {
  const { platform, texts } = state
  const isMac = platform === 'darwin'
  const role = (name: Role, label: string): Item => ({ role: name, label })
  return [
    ...(isMac ? [appMenu(state, acts)] : []),
    {
      label: texts.file,
      submenu: [
        { label: texts.newStartupToken, enabled: state.running, click: acts.newStartupToken },
        { label: texts.openInBrowser, enabled: state.running, click: acts.openInBrowser },
        LINE,
        { label: texts.openFolder, click: acts.openFolder },
        { label: texts.openLog, click: acts.openLog },
        LINE,
        role('close', texts.close),
        ...(isMac ? [] : [{ label: texts.quit, accelerator: 'Ctrl+Q', click: acts.quit }]),
      ],
    },
    {
      label: texts.edit,
      submenu: [
        role('undo', texts.undo),
        role('redo', texts.redo),
        LINE,
        role('cut', texts.cut),
        role('copy', texts.copy),
        role('paste', texts.paste),
        role('selectAll', texts.selectAll),
      ],
    },
    {
      label: texts.view,
      submenu: [
        role('reload', texts.reload),
        LINE,
        role('resetZoom', texts.zoomReset),
        role('zoomIn', texts.zoomIn),
        role('zoomOut', texts.zoomOut),
        LINE,
        role('togglefullscreen', texts.fullScreen),
        ...(state.isDevelopment ? [LINE, role('toggleDevTools', texts.developerTools)] : []),
      ],
    },
    { label: texts.go, submenu: pages(state, acts) },
    { role: 'windowMenu', label: texts.window },
    { role: 'help', label: texts.help, submenu: help(state, acts) },
  ]
}

function appMenu({ texts }: MenuState, acts: MenuActs): Item {
  return {
    label: 'Latchkey',
    submenu: [
      { role: 'about', label: texts.about },
      LINE,
      { label: `${texts.settings}…`, accelerator: 'Cmd+,', click: () => acts.goTo('/settings') },
      LINE,
      { role: 'services', label: texts.services },
      LINE,
      { role: 'hide', label: texts.hide },
      { role: 'hideOthers', label: texts.hideOthers },
      { role: 'unhide', label: texts.showAll },
      LINE,
      { label: texts.quit, accelerator: 'Cmd+Q', click: acts.quit },
    ],
  }
}

function pages({ texts, running, platform }: MenuState, acts: MenuActs): Item[] {
  const all: [string, string][] = [
    [texts.overview, '/'],
    [texts.users, '/users'],
    [texts.loginTokens, '/login-tokens'],
    [texts.access, '/access'],
    [texts.audit, '/audit'],
  ]
  const items: Item[] = all.map(([label, path], index) => ({
    label,
    enabled: running,
    accelerator: `CmdOrCtrl+${index + 1}`,
    click: () => acts.goTo(path),
  }))
  if (platform === 'darwin') return items
  return [...items, LINE, { label: texts.settings, accelerator: 'Ctrl+,', click: () => acts.goTo('/settings') }]
}

function help({ texts, updates, platform }: MenuState, acts: MenuActs): Item[] {
  const about: Item[] = platform === 'darwin' ? [] : [{ role: 'about', label: texts.about }]
  if (updates === 'none') return about
  return [
    { label: texts.checkForUpdates, click: acts.checkForUpdates },
    {
      label: texts.askBeforeUpdate,
      type: 'checkbox',
      checked: updates === 'ask',
      click: ({ checked }) => acts.askBeforeUpdate(checked),
    },
    ...(about.length > 0 ? [LINE, ...about] : []),
  ]
}
