import { z } from 'zod'
import { language } from './schemas.ts'

/**
 * What the page may ask of the desktop app: only what a browser cannot do. Nothing here makes or shows a secret; a startup
 * token is minted from the app's own menu, which no page can press. The app judges who asks and parses what was asked and
 * what it answers; the page finds the functions at `window.latchkey`.
 */
const nothing = z.undefined()
const done = z.strictObject({})

const info = z.strictObject({
  version: z.string(),
  platform: z.string(),
  /** `protected`: the key store of the system keeps the keyring; `file`: a file that only its owner may read. */
  keys: z.enum(['protected', 'file']),
  data_directory: z.string(),
  log_file: z.string(),
  /** Whether new versions are fetched at all, and whether somebody is asked first. */
  updates: z.enum(['none', 'ask', 'automatic']),
})
export type DesktopInfo = z.infer<typeof info>

/** Pages that are opened in the browser of the system: our own, with the code of a pairing at most. */
const page = z.string().regex(/^\/(account|users|login|settings|pair#[0-9A-HJKMNP-TV-Z]{4}-?[0-9A-HJKMNP-TV-Z]{4})?$/)

export const desktop = {
  info: { input: nothing, output: info },
  openLog: { input: nothing, output: done },
  /** The language of menus and dialogs follows that of the page. */
  speak: { input: language, output: done },
  /** Starts a server that has ended; does nothing to one that runs. */
  restartServer: { input: nothing, output: done },
  openInBrowser: { input: page, output: done },
  checkForUpdates: { input: nothing, output: z.enum(['none', 'found', 'unavailable', 'not-set-up']) },
} as const

export type DesktopTable = typeof desktop
export type DesktopAct = keyof DesktopTable

/** One function for each entry, as the page calls it. */
export type DesktopBridge = {
  [Act in DesktopAct]: (
    ...input: z.input<DesktopTable[Act]['input']> extends undefined ? [] : [z.input<DesktopTable[Act]['input']>]
  ) => Promise<z.output<DesktopTable[Act]['output']>>
}

/** What the app does for each entry, given input that was parsed. */
export type DesktopActs = {
  [Act in DesktopAct]: (
    input: z.output<DesktopTable[Act]['input']>,
  ) => z.input<DesktopTable[Act]['output']> | Promise<z.input<DesktopTable[Act]['output']>>
}

/** Between page and app an act goes by this name. */
export const channelOf = (act: string) => `latchkey:${act}`
