// For `node --import`: Electron is the double beside this file.
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron'
      ? { url: new URL('electron-double.mjs', import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
})
