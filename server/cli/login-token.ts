import { createConfig } from '../config.ts'
import { verbs } from '../control/verbs.ts'
import { defineCommand, HOUSE_OPTIONS, only, wholeNumber } from './command.ts'
import { printJson, printProblem, printText } from './output.ts'
import { inHouse, inputFor } from './reach.ts'
import { databaseOf, portOf, publicUrlOf } from './values.ts'

const DEFAULT_LIFE = 900

export const loginTokenCreate = defineCommand({
  name: 'login-token create',
  takes: 'USER',
  summary: 'make a link that signs a user in, once',
  options: {
    'expires-in': { type: 'string', value: 'SECONDS', help: `1 to 86400 (default ${DEFAULT_LIFE})` },
    reason: { type: 'string', value: 'TEXT', help: 'for those who look at the list' },
    'redirect-to': {
      type: 'string',
      value: 'PATH',
      help: 'where the person goes then; other sites only as the settings allow',
    },
    'public-url': { type: 'string', value: 'URL', help: 'where no server runs: the address that browsers will use' },
    port: { type: 'string', value: 'NUMBER', help: 'where no server runs: the port it will have (default 8787)' },
    ...HOUSE_OPTIONS,
  },
  notes: ['USER is a user name or mail address. A user can have ten tokens that wait.'],
  async run({ values, positionals }) {
    const input = inputFor(verbs['login-token-create'].input, {
      username: only(positionals, 'one user name'),
      expires_in: wholeNumber('--expires-in', values['expires-in']) ?? DEFAULT_LIFE,
      reason: values.reason,
      redirect_to: values['redirect-to'],
    })
    const config = createConfig({
      dataDirectory: values['data-dir'],
      database: databaseOf(values.database),
      publicUrl: publicUrlOf(values['public-url']),
      port: portOf(values.port),
    })
    const { made, isServer } = await inHouse(config, async ({ acts, isServer }) => {
      return { made: await acts['login-token-create'](input), isServer }
    })
    if (values.json) printJson(made)
    else {
      printText(`Login link: ${made.login_url}`)
      printText(`It signs ${made.username} in, once, until ${made.expires_at}.`)
      if (!isServer) printProblem('No server runs now: the link works once one does at that address.')
    }
    return 0
  },
})
