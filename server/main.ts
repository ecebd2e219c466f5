import { UsageError } from './cli/arguments.ts'
import { verifyAudit } from './cli/audit-verify.ts'
import { HELP } from './cli/help.ts'
import { printProblem, printText } from './cli/output.ts'
import { serve } from './cli/serve.ts'
import { VERSION } from './version.ts'

/** The headless entry, under plain Node. */
async function main([command, ...args]: string[]): Promise<number> {
  if (command === '--version') {
    printText(VERSION)
    return 0
  }
  if (command === undefined || command === 'help' || command === '--help' || args.includes('--help')) {
    printText(HELP)
    return 0
  }
  if (command === 'serve') return serve(args)
  if (command === 'audit' && args[0] === 'verify') return verifyAudit(args.slice(1))
  throw new UsageError(`There is no command "${command}".`)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const wrongUsage = error instanceof UsageError
  printProblem(
    wrongUsage
      ? `${error.message} See latchkey --help.`
      : `Latchkey failed: ${error instanceof Error ? error.stack : String(error)}`,
  )
  process.exitCode = wrongUsage ? 2 : 1
}
