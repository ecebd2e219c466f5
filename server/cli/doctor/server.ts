import { createServer } from 'node:net'
import { readNotice } from '../../control/notice.ts'
import { type Finding, ok, type Patient, problem, warning } from './finding.ts'

export async function checkPort({ config, status }: Patient): Promise<Finding[]> {
  const name = 'port'
  const { host, port } = config
  if (status) return [ok(name, `The server ${status.version} answers at ${status.url} (process ${status.pid}).`)]
  const reason = await tryListening(host, port)
  if (reason === undefined) return [ok(name, `Port ${port} on ${host} is free.`)]
  if (reason === 'EADDRINUSE')
    return [warning(name, `Port ${port} on ${host} is taken by another program.`, 'Choose another with serve --port.')]
  return [
    warning(name, `Port ${port} on ${host} cannot be used (${reason}).`, 'Choose others with serve --port and --host.'),
  ]
}

function tryListening(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    probe.listen(port, host, () => probe.close(() => resolve(undefined)))
  })
}

export async function checkDatabase({ config, status, database }: Patient): Promise<Finding[]> {
  const name = 'database'
  if (status?.storage === 'ok') return [ok(name, `The server reads its database (${status.engine}).`)]
  if (status)
    return [problem(name, 'The server cannot reach its database.', 'Look at its log, and at the disk or network.')]
  if (config.database !== undefined) return [ok(name, 'It is PostgreSQL; only a running server or psql can tell more.')]
  if (!database) return [warning(name, 'There is none yet.', 'The first start makes one.')]
  if ('unread' in database) {
    const advice = database.isLocked ? 'See the line on the way back in.' : 'latchkey restore FILE'
    return [problem(name, database.unread, advice)]
  }
  const { faults, damaged } = database
  if (faults.length > 0) return [problem(name, `The database is damaged: ${faults[0]}.`, 'latchkey restore FILE')]
  if (damaged > 0)
    return [
      warning(
        name,
        'The newest snapshot is damaged; an older one has taken its place.',
        'Check the disk; make a backup.',
      ),
    ]
  return [ok(name, 'Snapshot and journal can be read, and nothing is missing.')]
}

export async function checkWayBack({ config, status, database }: Patient): Promise<Finding[]> {
  const name = 'way back in'
  if (!status && (await readNotice(config.dataDirectory))) {
    const isLocked = database && 'unread' in database && database.isLocked
    if (isLocked)
      return [
        problem(
          name,
          'A server runs, but this account cannot ask it for a startup token.',
          'Run latchkey as the account of the server, or restart that with serve --print-login-token.',
        ),
      ]
  }
  const superusers = status?.superusers ?? (database && 'superusers' in database ? database.superusers : undefined)
  if (superusers === undefined || status?.storage === 'unavailable')
    return [ok(name, 'Nothing speaks against a startup token: latchkey startup-token.')]
  if (status && !status.set_up) return [ok(name, 'The server waits to be set up, by the link that it printed.')]
  if (superusers === 0)
    return [problem(name, 'No superuser is enabled: not even a startup token helps.', 'latchkey restore FILE')]
  if (status && status.ways_in === 0)
    return [
      warning(
        name,
        'No superuser has come in by his own way yet, so none is proven.',
        'Sign in once; if nobody can: latchkey startup-token.',
      ),
    ]
  return [
    ok(
      name,
      `${superusers === 1 ? 'One superuser is' : `${superusers} superusers are`} enabled; latchkey startup-token helps if nobody can sign in.`,
    ),
  ]
}
