import { writeBackup, refuseExisting } from '../backup/write.ts'
import { createConfig } from '../config.ts'
import { cancellable } from './cancel.ts'
import { defineCommand, HOUSE_OPTIONS, only } from './command.ts'
import { printJson, printText } from './output.ts'
import { createProgress, sizeOf } from './progress.ts'
import { inHouse } from './reach.ts'
import { readPassphrase } from './typed.ts'
import { databaseOf } from './values.ts'

export const PASSPHRASE_OPTION = {
  'passphrase-file': {
    type: 'string',
    value: 'FILE',
    help: 'read the passphrase from there (or LATCHKEY_BACKUP_PASSPHRASE)',
  },
} as const

export const backup = defineCommand({
  name: 'backup',
  takes: 'FILE',
  summary: 'write database, keys and certificates into one encrypted file, while the server goes on',
  options: {
    ...PASSPHRASE_OPTION,
    'keys-only': { type: 'boolean', help: 'without the database; with PostgreSQL, which pg_dump backs up' },
    force: { type: 'boolean', help: 'overwrite FILE' },
    ...HOUSE_OPTIONS,
  },
  notes: [
    'Everything that was acknowledged before the command began is in it. Without the passphrase nobody can open it.',
    'It is an age file around a tar archive: age -d FILE | tar x opens it, too.',
  ],
  async run({ values, positionals }) {
    const file = only(positionals, 'one file')
    const force = values.force ?? false
    if (!force) await refuseExisting(file)
    const passphrase = await readPassphrase(values['passphrase-file'], true)
    const config = createConfig({ dataDirectory: values['data-dir'], database: databaseOf(values.database) })
    const content = values['keys-only'] ? 'keys' : 'everything'
    const progress = createProgress(values.json ?? false)
    const bytes = await cancellable((signal) =>
      inHouse(config, async ({ acts }) => {
        progress.step('gathering')
        const packed = await acts.backup({ content })
        return writeBackup(packed, { file, force, passphrase, signal, progress })
      }),
    ).finally(() => progress.end())
    if (values.json) printJson({ file, bytes, content })
    else printText(`Backup written: ${file} (${sizeOf(bytes)}). Keep the passphrase elsewhere.`)
    return 0
  },
})
