// The one entry behind every npm script: `node scripts/run.mjs <command> [arguments]`.
//
//   start   set up what is missing, then open the desktop window, or run the server in this terminal where there is none
//   serve   the same with the command line of the server: `npm run serve -- --port 8787`, `npm run serve -- user list`
//   test    set up, check, build, then every test but those of the pages; `npm test -- --only <vitest arguments>` runs just those
//   browser the tests of the pages in Chromium (`npm run test:browser`), with more arguments for vitest
//   atproto the tests that sign in at a real PDS (`npm run test:atproto`), with more arguments for vitest
//   check   format, lint, types, dead code
//   bench   bench/run.ts         soak   bench/soak.ts
//   desktop the desktop app in Electron, which it fetches first (`npm run desktop`)
//   package its packages for this system, into release/
//   test-desktop  true launches of it, where Electron is there (`npm run test:desktop`)
//
// Everything it prints itself goes to stderr: stdout belongs to the command. Once a machine is set up, nothing stands
// between a developer and the tools: `npx vitest run test/server`, `npx eslint .`, `node server/main.ts serve`.
//
// This file alone must parse on any Node that knows `import()`; main.mjs needs Node 18, and what it loads on Node 24, 24.
const major = Number(process.versions.node.split('.')[0])
if (major < 18) {
  process.stderr.write(
    `Latchkey needs Node.js 18 or newer to set itself up (24 is best); this is ${process.versions.node}.\n` +
      'Install Node.js 24 with your package manager, then run the same command again.\n',
  )
  process.exit(1)
}

import('./main.mjs')
