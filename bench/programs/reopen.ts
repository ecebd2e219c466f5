/** Opens a data directory's database, prints how many milliseconds that took, and closes it. */
import { openSqljs } from '../../server/storage/sqljs/open.ts'

const [directory = ''] = process.argv.slice(2)
const started = performance.now()
const database = await openSqljs({ directory, checkpointBytes: Infinity })
process.stdout.write(`${performance.now() - started}\n`)
await database.close()
