import { runCommandLine } from './cli/run.ts'

/** The headless entry, under plain Node. */
process.exitCode = await runCommandLine(process.argv.slice(2))
