/** What any answer of Koa costs: one route of @koa/router, an object that Koa turns into JSON, and nothing else. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Router from '@koa/router'
import Koa from 'koa'

const router = new Router()
router.get('/api/auth/me', (ctx) => {
  ctx.body = { hello: 'world' }
})
const app = new Koa()
app.use(router.routes())
const server = createServer(app.callback())
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
})
