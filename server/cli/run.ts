import { VERSION } from '../version.ts'
import { type Command, UsageError } from './command.ts'
import { helpOf, overallHelp } from './help.ts'
import { printProblem, printText } from './output.ts'
import { problemOf, textOf } from './problems.ts'
import { commands } from './table.ts'

/** Runs what was typed after the program's name. Resolves with the exit code; prints why when it is not 0. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const command = commands.find(({ name }) => name.split(' ').every((word, at) => argv[at] === word))
  try {
    if (argv[0] === '--version') return say(VERSION)
    if (asksForHelp(argv)) return say(command ? helpOf(command) : overallHelp(commandsLike(argv)))
    if (!command) throw new UsageError(`There is no command "${argv.slice(0, 2).join(' ')}".`)
    return await command.run(argv.slice(command.name.split(' ').length))
  } catch (error) {
    const problem = problemOf(error, command ? `latchkey ${command.name}` : 'latchkey')
    if (argv.includes('--json')) printProblem(JSON.stringify({ error: problem.code, message: problem.message }))
    else printProblem(textOf(problem))
    return problem.exit
  }
}

function asksForHelp(argv: readonly string[]): boolean {
  return argv.length === 0 || argv[0] === 'help' || argv.includes('--help') || argv.includes('-h')
}

/** Of `latchkey user --help`: those that begin so; else all. */
function commandsLike([first]: readonly string[]): readonly Command[] {
  const like = commands.filter(({ name }) => name.split(' ')[0] === first)
  return like.length > 0 ? like : commands
}

function say(text: string): number {
  printText(text)
  return 0
}
