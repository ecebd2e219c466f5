// One lane per folder of test/. `npm test` runs all but the browser's; `npx vitest run --project server` runs one,
// `npx vitest run test/server/sign-in.test.ts` one file. The browser lane needs dist/page: `npm run test:browser`.
import { join } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const inProject = (...parts: string[]) => join(import.meta.dirname, ...parts)

const lane = (name: string, testTimeout = 10_000) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: 3 * testTimeout,
    // No module of ours holds state, so the files of a lane share what they import: a third of the processor time.
    isolate: false,
  },
})

export default defineConfig({
  plugins: [vue()],
  // Outside Electron, merely importing it tries to download the program and throws.
  resolve: { alias: { electron: inProject('test/setup/electron-stub.ts') } },
  test: {
    projects: [
      lane('scripts', 30_000),
      lane('api'),
      lane('storage', 20_000),
      lane('server', 20_000),
      lane('renderer'),
      lane('electron', 20_000),
      lane('browser', 60_000),
      lane('crash', 120_000),
      // Two machines, which Linux makes of network namespaces for root.
      lane('lan', 30_000),
      // True launches of the desktop app, which `npm run test:desktop` runs where Electron is there.
      ...(process.env['LATCHKEY_DESKTOP_LANE'] ? [lane('desktop', 60_000)] : []),
      // It needs a PDS, which only `npm run test:atproto` installs.
      ...(process.env['LATCHKEY_ATPROTO_LANE'] ? [lane('atproto', 60_000)] : []),
    ],
    globalSetup: [inProject('test/setup/postgres.ts')],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    passWithNoTests: false,
    // Longer than vitest's own second: a busy machine is not a failure.
    expect: { poll: { timeout: 10_000 } },
    // A second try on a shared machine, where a moment without processor time is no fault of ours; shown when used.
    retry: process.env['CI'] ? 1 : 0,
    restoreMocks: true,
    unstubEnvs: true,
    reporters: ['default', inProject('test/setup/closing-line.ts')],
  },
})
