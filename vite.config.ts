// Four builds in one file: the page (`vite build` → dist/page), the server (`--mode server` → dist/server), and of the desktop
// app its two processes (`--mode desktop` → dist/desktop) and what its window may call (`--mode preload` → dist/preload).
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin, type UserConfig } from 'vite'
import vuetify from 'vite-plugin-vuetify'
import { desktop as bridge } from './api/desktop.ts'
import { table } from './api/index.ts'
import { thinTable } from './renderer/build/thin-table.ts'

const inProject = (...parts: string[]) => join(import.meta.dirname, ...parts)

const page: UserConfig = {
  root: inProject('renderer'),
  base: '/',
  // What the page does not use of Vue and vue-i18n.
  define: { __VUE_OPTIONS_API__: 'false', __VUE_I18N_LEGACY_API__: 'false', __VUE_I18N_FULL_INSTALL__: 'false' },
  plugins: [thinTable(table), vue(), vuetify({ autoImport: true })],
  build: {
    outDir: inProject('dist/page'),
    emptyOutDir: true,
    target: 'es2023',
    sourcemap: false,
    // The page runs under `script-src 'self'`: nothing inline, no data: URLs for code or styles.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
  },
}

/**
 * Imported as an ES module, `http` reads all its exports at once, and one of them loads a whole HTTP client: 14 MB and
 * 80 ms at every start. Asked for like this it does not.
 */
const httpWithoutItsClient: Plugin = {
  name: 'http-without-its-client',
  enforce: 'pre',
  resolveId: (id) => (id === 'http' || id === 'node:http' ? '\0http' : undefined),
  load: (id) => (id === '\0http' ? "module.exports = process.getBuiltinModule('node:http')" : undefined),
}

/** Programs of worker threads, which are started by their address beside the main file. */
const workers = Object.fromEntries(
  globSync('server/**/*-worker.ts', { cwd: import.meta.dirname }).map((path) => [
    basename(path, '.ts'),
    inProject(path),
  ]),
)

/** Bundled, because one file starts faster than some hundred. What is named stays in node_modules: see `nativeParts`. */
const bundled = (out: string, input: Record<string, string>, external: string[], minify = false): UserConfig => ({
  plugins: [httpWithoutItsClient],
  ssr: { noExternal: true, external },
  build: {
    ssr: true,
    outDir: inProject('dist', out),
    emptyOutDir: true,
    target: 'node24',
    sourcemap: false,
    minify,
    copyPublicDir: false,
    rolldownOptions: {
      input,
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunk-[hash].js' },
    },
  },
})

/** Native code and the wasm engine find their files beside their own package. */
const nativeParts = ['@node-rs/argon2', '@node-rs/bcrypt', 'sql.js', 'pg-native']

const server = bundled('server', { main: inProject('server/main.ts'), ...workers }, nativeParts)

const desktop = bundled(
  'desktop',
  { main: inProject('electron/main.ts'), 'server-process': inProject('electron/server-process.ts'), ...workers },
  [...nativeParts, 'electron'],
  // It is downloaded, and again with every update.
  true,
)

/** Alone, because a window's sandbox lets it load nothing but `electron`; so the names of the bridge are put in here. */
const preload: UserConfig = {
  define: { DESKTOP_ACTS: JSON.stringify(Object.keys(bridge)) },
  build: {
    outDir: inProject('dist/preload'),
    emptyOutDir: true,
    target: 'chrome140',
    sourcemap: false,
    minify: false,
    copyPublicDir: false,
    lib: { entry: inProject('electron/preload.ts'), formats: ['cjs'], fileName: () => 'preload.cjs' },
    rolldownOptions: { external: ['electron'] },
  },
}

const modes: Record<string, UserConfig> = { server, desktop, preload }

export default defineConfig(({ mode }) => modes[mode] ?? page)
