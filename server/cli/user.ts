import { PERMISSIONS } from '../../api/permissions.ts'
import type { User } from '../../api/users.ts'
import { createConfig } from '../config.ts'
import { verbs } from '../control/verbs.ts'
import { defineCommand, HOUSE_OPTIONS, nothing, only, UsageError, wholeNumber } from './command.ts'
import { printJson, printTable, printText } from './output.ts'
import { inHouse, inputFor } from './reach.ts'
import { readStandardInput } from './typed.ts'
import { databaseOf } from './values.ts'

const HOURS_OPTION = {
  'expires-hours': { type: 'string', value: 'N', help: 'hours that the temporary password lives; -1: no end' },
} as const

interface Made {
  username: string
  password?: string | undefined
  expires: string | null
}

export const userCreate = defineCommand({
  name: 'user create',
  takes: 'NAME',
  summary: 'make a user, with a temporary password unless another is given',
  options: {
    email: { type: 'string', value: 'ADDRESS', help: 'mail address' },
    'display-name': { type: 'string', value: 'TEXT', help: 'the name that others see' },
    superuser: { type: 'boolean', help: 'may do everything' },
    permission: {
      type: 'string',
      multiple: true,
      value: 'P',
      help: `one of ${PERMISSIONS.join(', ')}; may be repeated`,
    },
    temporary: { type: 'boolean', help: 'make a temporary password and print it, once (the default)' },
    ...HOURS_OPTION,
    'password-stdin': { type: 'boolean', help: 'read the password from standard input; it need not be changed' },
    ...HOUSE_OPTIONS,
  },
  async run({ values, positionals }) {
    const username = only(positionals, 'one user name')
    const own = values['password-stdin'] ?? false
    if (own && (values.temporary || values['expires-hours'] !== undefined))
      throw new UsageError(
        '--password-stdin is for a password that stays: it goes with neither --temporary nor --expires-hours.',
      )
    const input = inputFor(verbs['user-create'].input, {
      username,
      email: values.email,
      display_name: values['display-name'],
      superuser: values.superuser,
      permissions: values.permission,
      expires_hours: wholeNumber('--expires-hours', values['expires-hours']),
      password: own ? await readStandardInput() : undefined,
    })
    const made = await inHouse(configOf(values), ({ acts }) => acts['user-create'](input))
    if (values.json) printJson(made)
    else tell(`The user ${made.username} (${made.user_id}) was made.`, made)
    return 0
  },
})

export const userReset = defineCommand({
  name: 'user reset',
  takes: 'NAME',
  summary: "give a user a new temporary password; the user's sessions end",
  options: {
    ...HOURS_OPTION,
    'revoke-developer-tokens': { type: 'boolean', help: "end the user's developer tokens, too" },
    'password-stdin': { type: 'boolean', help: 'read the temporary password from standard input' },
    ...HOUSE_OPTIONS,
  },
  notes: ['Whoever has a second factor keeps it. NAME may be a mail address.'],
  async run({ values, positionals }) {
    const input = inputFor(verbs['user-reset'].input, {
      username: only(positionals, 'one user name'),
      expires_hours: wholeNumber('--expires-hours', values['expires-hours']),
      revoke_developer_tokens: values['revoke-developer-tokens'] ?? false,
      password: values['password-stdin'] ? await readStandardInput() : undefined,
    })
    const done = await inHouse(configOf(values), ({ acts }) => acts['user-reset'](input))
    if (values.json) printJson(done)
    else tell(`The password of ${done.username} was reset; all sessions of this user have ended.`, done)
    return 0
  },
})

export const userList = defineCommand({
  name: 'user list',
  summary: 'list users',
  options: {
    query: { type: 'string', value: 'TEXT', help: 'part of a name, mail address or handle' },
    state: { type: 'string', value: 'STATE', help: 'enabled, disabled, temporary_password or superuser' },
    limit: { type: 'string', value: 'N', help: '1 to 200 (default 50)' },
    ...HOUSE_OPTIONS,
  },
  async run({ values, positionals }) {
    nothing(positionals)
    const { query, state } = values
    const limit = wholeNumber('--limit', values.limit) ?? 50
    const input = inputFor(verbs['user-list'].input, { query, state, limit })
    const list = await inHouse(configOf(values), ({ acts }) => acts['user-list'](input))
    if (values.json) {
      printJson(list)
      return 0
    }
    printTable(['ID', 'USER', 'STATE', 'RIGHTS', 'SIGNED IN', 'NAME'], list.items.map(rowOf))
    const more = list.total - list.items.length
    if (more > 0)
      printText(`${more}${list.total_exact ? '' : ' or more'} others. Choose with --query, or a higher --limit.`)
    return 0
  },
})

function configOf(values: { 'data-dir'?: string | undefined; database?: string | undefined }) {
  return createConfig({ dataDirectory: values['data-dir'], database: databaseOf(values.database) })
}

function tell(what: string, { password, expires }: Made): void {
  printText(what)
  if (password !== undefined) printText(`Temporary password: ${password}`)
  if (expires !== null) printText(`It ends at ${expires}.`)
}

function rowOf(user: User): string[] {
  const rights = user.superuser ? 'superuser' : user.permissions.join(',') || '-'
  const signed = user.last_sign_in_at?.slice(0, 16).replace('T', ' ') ?? 'never'
  return [String(user.user_id), user.username, stateOf(user), rights, signed, user.display_name ?? '']
}

function stateOf(user: User): string {
  if (!user.enabled) return 'disabled'
  return user.require_password_change ? 'temporary password' : 'enabled'
}
