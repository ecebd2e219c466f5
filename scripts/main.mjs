// First the right Node, then the command; and the one place where a failure becomes words and an exit code.
import { continueOnNode24, endWithParent } from './node-runtime.mjs'
import { Problem } from './problem.mjs'

try {
  endWithParent()
  await continueOnNode24()
  const { runCommand } = await import('./commands.mjs')
  await runCommand(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = error.exitCode
}
