// Two builds in one file: the page (`vite build` → dist/page) and the server (`vite build --mode server` → dist/server).
import { join } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin, type UserConfig } from 'vite'
import vuetify from 'vite-plugin-vuetify'
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

const server: UserConfig = {
  plugins: [httpWithoutItsClient],
  // Bundled, because one file starts faster than some hundred. Native code and the wasm engine find their files beside
  // their own package, so these stay in node_modules.
  ssr: { noExternal: true, external: ['@node-rs/argon2', '@node-rs/bcrypt', 'sql.js', 'pg-native'] },
  build: {
    ssr: true,
    outDir: inProject('dist/server'),
    emptyOutDir: true,
    target: 'node24',
    sourcemap: false,
    minify: false,
    copyPublicDir: false,
    rolldownOptions: {
      input: {
        main: inProject('server/main.ts'),
        'checkpoint-worker': inProject('server/storage/sqljs/checkpoint-worker.ts'),
      },
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunk-[hash].js' },
    },
  },
}

export default defineConfig(({ mode }) => (mode === 'server' ? server : page))
