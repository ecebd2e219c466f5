import Koa from 'koa'
import { table } from '../api/index.ts'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'
import { handlers } from './handlers/index.ts'
import { createClientAddress } from './http/client-address.ts'
import { sessionCookie } from './http/cookies.ts'
import { securityHeaders } from './http/headers.ts'
import { mount } from './http/mount.ts'
import { checkOrigin } from './http/origin.ts'
import { servePage } from './http/page.ts'
import { referencePage } from './http/reference.ts'
import { requestContext } from './http/request-context.ts'
import { refusePlainHttp } from './http/transport.ts'
import { trustPages } from './http/trust.ts'

/** The order in which a request is looked at, on one screen. */
export function createApp(config: Config, deps: Deps, hosts: () => readonly string[]): Koa {
  const app = new Koa()
  app.use(requestContext(deps, createClientAddress(config.trustedProxies)))
  app.use(securityHeaders(config.publicUrl))
  app.use(checkOrigin({ hosts, sessionCookie }))
  app.use(trustPages(deps))
  app.use(refusePlainHttp(config.insecureHttp, deps))
  for (const step of mount(table, handlers, deps).toSpliced(1, 0, referencePage(table, deps.version))) app.use(step)
  app.use(servePage(config.pageDirectory))
  // What Koa itself reports (a broken connection in the middle of an answer) goes to the log, never to the console.
  app.on('error', (error: unknown) => deps.log.warn({ err: error }, 'connection failed'))
  return app
}
