// node scripts/check-fuses.mjs PROGRAM: fails where a fuse of a built program is not as it must be.
import { FUSES, readFuses } from './fuses.mjs'

const program = process.argv[2]
if (program === undefined) throw new Error('Name the program whose fuses are to be checked.')
const found = await readFuses(program)
const wrong = Object.keys(FUSES).filter((name) => found[name] !== FUSES[name])
for (const name of wrong) process.stderr.write(`${name} is ${found[name] ? 'on' : 'off'}, and must not be.\n`)
process.stdout.write(
  `${Object.keys(FUSES).length - wrong.length} of ${Object.keys(FUSES).length} fuses are as stated.\n`,
)
process.exitCode = wrong.length > 0 ? 1 : 0
