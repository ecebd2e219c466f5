/**
 * Measures what the project promises: `npm run bench -- [SECTION…] [--quick]`. A whole run writes `bench/RESULTS.md`;
 * a part, or a quick one, is only printed. Exit code 1 when a bar is missed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Bench, isMet, type Section } from './figure.ts'
import { type Measured, printable, writeResults } from './report.ts'
import { audit } from './sections/audit.ts'
import { checkpoint } from './sections/checkpoint.ts'
import { commit } from './sections/commit.ts'
import { importUsers } from './sections/import.ts'
import { page } from './sections/page.ts'
import { recovery } from './sections/recovery.ts'
import { redemption } from './sections/redemption.ts'
import { requests } from './sections/requests.ts'
import { signIn } from './sections/sign-in.ts'
import { startUp } from './sections/start-up.ts'
import { switching } from './sections/switch-account.ts'
import { userList } from './sections/user-list.ts'

const SECTIONS: readonly Section[] = [
  commit,
  checkpoint,
  recovery,
  requests,
  signIn,
  redemption,
  switching,
  userList,
  audit,
  startUp,
  importUsers,
  page,
]

const { values, positionals } = parseArgs({ options: { quick: { type: 'boolean' } }, allowPositionals: true })
const quick = values.quick ?? false
const unknown = positionals.find((name) => !SECTIONS.some((section) => section.name === name))
if (unknown === undefined)
  await measure(SECTIONS.filter(({ name }) => positionals.length === 0 || positionals.includes(name)))
else {
  say(`There is no section "${unknown}". There are: ${SECTIONS.map(({ name }) => name).join(', ')}.`)
  process.exitCode = 2
}

async function measure(sections: readonly Section[]): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  const bench: Bench = {
    quick,
    rounds: (full) => (quick ? Math.max(3, Math.round(full / 4)) : full),
    say,
    scratch: (name) => mkdtempSync(join(root, `${name}-`)),
  }
  const measured: Measured[] = []
  try {
    for (const section of sections) {
      say(`${section.title} …`)
      measured.push({ section, figures: await section.run(bench) })
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
  process.stdout.write(`\n${printable(measured)}\n\nDurability is shown by \`npm run soak\`.\n`)
  if (sections.length === SECTIONS.length && !quick) {
    writeResults(measured)
    say('Written to bench/RESULTS.md')
  }
  if (measured.some(({ figures }) => figures.some((figure) => isMet(figure) === false))) process.exitCode = 1
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
