import { contextBridge, ipcRenderer } from 'electron'

/** The names of the table in api/desktop.ts, put in by the build: a preload script can load nothing. */
declare const DESKTOP_ACTS: readonly string[]

const bridge = Object.fromEntries(
  DESKTOP_ACTS.map((act) => [act, (...input: unknown[]) => ipcRenderer.invoke(`latchkey:${act}`, ...input)]),
)
contextBridge.exposeInMainWorld('latchkey', Object.freeze(bridge))
