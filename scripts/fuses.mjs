// What is burnt into the program of a package, and what must be. electron-builder.yml sets it; the ninth, how WebAssembly
// handles traps, is left as Electron ships it.
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses'

/** @type {Record<string, boolean>} */
export const FUSES = {
  RunAsNode: false,
  EnableCookieEncryption: true,
  EnableNodeOptionsEnvironmentVariable: false,
  EnableNodeCliInspectArguments: false,
  EnableEmbeddedAsarIntegrityValidation: true,
  OnlyLoadAppFromAsar: true,
  LoadBrowserProcessSpecificV8Snapshot: false,
  GrantFileProtocolExtraPrivileges: false,
}

/** @param {string} program @returns {Promise<Record<string, boolean>>} the same names, as they are */
export async function readFuses(program) {
  const wire = new Map(Object.entries(await getCurrentFuseWire(program)))
  return Object.fromEntries(
    Object.keys(FUSES).map((name) => [name, wire.get(String(Reflect.get(FuseV1Options, name))) === FuseState.ENABLE]),
  )
}
