import { expect, onTestFinished, test } from 'vitest'
import { createDatabase } from '../helpers/postgres.ts'
import { buildSuperuser, dataOf } from '../helpers/visitor.ts'
import { askOverTls, at, authorityOf, buildNetwork, portOf, startInNetwork } from './network.ts'

test('switched at one of several servers, it is switched at all of them', async () => {
  const { url: database, drop } = await createDatabase()
  onTestFinished(() => drop())
  const one = await startInNetwork(buildNetwork(at('127.5.0.5', '127.5.0.0/24')), { config: { database } })
  onTestFinished(() => one.end())
  const admin = await buildSuperuser(one)
  const network = buildNetwork(at('127.5.0.6', '127.5.0.0/24'))
  const two = await startInNetwork(network, {
    config: { database, logFile: `${one.directory}/second.log` },
    directory: one.directory,
  })
  onTestFinished(() => two.stop())
  await admin.client.settings.change({ body: { lan_enabled: true } }).then(dataOf)
  await expect.poll(() => two.lan().urls).toEqual([`https://127.5.0.6:${portOf(two)}`])
  const ca = await authorityOf(one)
  expect((await askOverTls({ address: '127.5.0.6', port: portOf(two), ca })).status).toBe(200)
  await two.switchLan(false)
  await expect.poll(() => one.lan().on).toBe(false)
})
