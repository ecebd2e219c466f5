import { restoreBackup, type Restored } from '../backup/restore.ts'
import { createConfig } from '../config.ts'
import { reachServer } from '../control/channel.ts'
import { StorageOpenError } from '../storage/errors.ts'
import { PASSPHRASE_OPTION } from './backup.ts'
import { cancellable } from './cancel.ts'
import { DATA_DIR_OPTION, defineCommand, JSON_OPTION, only } from './command.ts'
import { printJson, printText } from './output.ts'
import { createProgress } from './progress.ts'
import { readPassphrase } from './typed.ts'

export const restore = defineCommand({
  name: 'restore',
  takes: 'FILE',
  summary: 'put a backup in place of the data directory, after a server was started in it to prove it',
  options: {
    ...PASSPHRASE_OPTION,
    replace: { type: 'boolean', help: 'move a data directory that is not empty aside; nothing of it is lost' },
    'keep-sessions': { type: 'boolean', help: 'let sessions of that time live on' },
    'revoke-developer-tokens': { type: 'boolean', help: 'end developer tokens, too' },
    ...DATA_DIR_OPTION,
    ...JSON_OPTION,
  },
  notes: [
    'Sessions, login tokens, trusted browsers and temporary passwords of the backup are ended: any of them may have been',
    'revoked since. Until the last moment the data directory stays as it is.',
  ],
  async run({ values, positionals }) {
    const file = only(positionals, 'one file')
    const { dataDirectory: directory } = createConfig({ dataDirectory: values['data-dir'] })
    if (await reachServer(directory))
      throw new StorageOpenError('DATA_DIR_LOCKED', `A server runs in ${directory}. Stop it first.`)
    const passphrase = await readPassphrase(values['passphrase-file'], false)
    const progress = createProgress(values.json ?? false)
    const kept = {
      sessions: values['keep-sessions'] ?? false,
      developer_tokens: !(values['revoke-developer-tokens'] ?? false),
    }
    const replace = values.replace ?? false
    const restored = await cancellable((signal) =>
      restoreBackup({ file, directory, passphrase, replace, kept, clock: () => Date.now(), signal, progress }),
    ).finally(() => progress.end())
    if (values.json) printJson(asJson(directory, restored))
    else tell(directory, restored)
    return 0
  },
})

function asJson(directory: string, { manifest, rehearsal, before }: Restored): object {
  const { made_at, version } = manifest
  return { directory, made_at, version, before: before ?? null, ended: rehearsal?.ended ?? null }
}

function tell(directory: string, { manifest, rehearsal, before }: Restored): void {
  printText(`Restored into ${directory}: the state of ${manifest.made_at}, made by Latchkey ${manifest.version}.`)
  if (rehearsal) {
    const { sessions, login_tokens, trusted_devices, temporary_passwords, developer_tokens } = rehearsal.ended
    printText(
      `Ended: ${sessions} sessions, ${login_tokens} login tokens, ${trusted_devices} trusted browsers, ` +
        `${temporary_passwords} temporary passwords, ${developer_tokens} developer tokens.`,
    )
    if (!rehearsal.is_set_up) printText('It was not set up yet: the next start prints a set-up link.')
  } else printText('It held the keys alone. Start the server with the database that they belong to.')
  if (before !== undefined)
    printText(`What was there before is in ${before}. Remove it once you do not need it any more.`)
}
