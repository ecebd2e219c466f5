import { createConfig } from '../config.ts'
import { reachServer } from '../control/channel.ts'
import { Refused } from '../control/refused.ts'
import { DATA_DIR_OPTION, defineCommand, JSON_OPTION, nothing } from './command.ts'
import { assertPrinted, printLine } from './output.ts'

export const startupToken = defineCommand({
  name: 'startup-token',
  summary: 'ask the running server for a startup token: the way back in for a locked-out superuser',
  options: { ...DATA_DIR_OPTION, ...JSON_OPTION },
  notes: ['The token before it ends. It works once, without a second factor, until the server ends.'],
  async run({ values, positionals }) {
    nothing(positionals)
    const { dataDirectory } = createConfig({ dataDirectory: values['data-dir'] })
    const server = await reachServer(dataDirectory)
    if (!server)
      throw new Refused(
        'NO_SERVER',
        `No server runs on ${dataDirectory}, and a startup token lives in its memory. Start one with latchkey serve --print-login-token.`,
      )
    const { token } = await server.acts['startup-token']({})
    printLine({ event: 'startup_token', token }, values.json ?? false)
    assertPrinted()
    return 0
  },
})
