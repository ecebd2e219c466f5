import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startProvider } from '../helpers/hostile-provider.ts'
import { ADMIN, buildVisitor, codeOf, dataOf, type Visitor } from '../helpers/visitor.ts'
import { linkedUser, signInAs } from '../server/atproto.ts'
import { startChild } from './child.ts'

it('killed between a refresh and its writing, the server shows that account as in need of a sign-in, and loses nothing else', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-crash-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const provider = await startProvider()
  onTestFinished(() => provider.stop())
  const flags = ['--atproto-private', '--atproto-plc', provider.url, '--atproto-resolver', provider.url]
  const first = await startChild(directory, flags)
  const admin = buildVisitor(first.url)
  const setup_token = (await first.next()).token
  dataOf(await admin.client.auth.setup({ body: { setup_token, ...ADMIN, confirm_password: ADMIN.password } }))
  const world = { provider, server: first, admin }
  await linkedUser(world, 'lost.test')
  await linkedUser(world, 'kept.test')
  const [lost, kept] = [await signInAs(world, 'lost.test'), await signInAs(world, 'kept.test')]

  // The refresh token is on its way, and no answer has come.
  provider.behave({ token: 'hang' })
  provider.requests.length = 0
  const asking = lost.visitor.client.auth.refreshGrant()
  await expect.poll(() => provider.count('token'), { interval: 1 }).toBe(1)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  await asking
  provider.behave({})

  const { url } = await startChild(directory, flags)
  const stateOf = async (visitor: Visitor) => {
    visitor.http.defaults.baseURL = url
    visitor.http.defaults.headers['Origin'] = url
    return dataOf(await visitor.client.auth.grant()).state
  }
  expect(await stateOf(lost.visitor)).toBe('needs_sign_in')
  expect(dataOf(await lost.visitor.client.auth.me()).scope_upgrade_required).toBe(true)
  expect(await stateOf(kept.visitor)).toBe('live')
  expect(codeOf(await kept.visitor.client.auth.refreshGrant())).toBe('ok')
  // No loop: nobody asks for what cannot be had any more.
  provider.requests.length = 0
  await lost.visitor.client.auth.refreshGrant()
  expect(provider.requests).toEqual([])
})
