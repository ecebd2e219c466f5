import { PassThrough, Readable } from 'node:stream'
import type { Context } from 'koa'
import type { Endpoint, FileAnswer, Listening } from '../../api/endpoint.ts'

/** Milliseconds after which a stream says that it is alive, so that nothing between takes it for dead. */
const HEARTBEAT = 15_000
const ALIVE = ':\n\n'
/** Bytes that a listener may leave unread before he is given up. */
const MOST_UNREAD = 65_536

/**
 * Writes what a handler returned, in the way that its entry answers. `mayListen` is asked again before each event and
 * heartbeat: who has lost the right to listen hears no more. Asking must not keep his session alive.
 */
export function answer(ctx: Context, entry: Endpoint, returned: unknown, mayListen: () => Promise<boolean>): void {
  ctx.status = entry.status ?? 200
  switch (entry.answers) {
    case 'file':
      return sendFile(ctx, returned as FileAnswer)
    case 'events':
      return sendEvents(ctx, entry, returned as Listening<unknown>, mayListen)
    case 'redirect':
      return sendOn(ctx, entry.output.parse(returned) as { location: string; status: 302 | 303 })
    case 'document':
      ctx.set('Content-Type', 'application/json; charset=utf-8')
      ctx.body = JSON.stringify(entry.output.parse(returned))
      return
    case undefined:
      ctx.set('Content-Type', 'application/json; charset=utf-8')
      ctx.body = JSON.stringify({ status: 'ok', data: entry.output.parse(returned) })
  }
}

function sendOn(ctx: Context, { location, status }: { location: string; status: 302 | 303 }): void {
  ctx.status = status
  ctx.set('Location', location)
  ctx.set('Cache-Control', 'no-store')
  ctx.body = ''
}

function sendFile(ctx: Context, { name, type, parts }: FileAnswer): void {
  ctx.set('Content-Type', type)
  ctx.set('Content-Disposition', `attachment; filename="${name}"`)
  ctx.set('Cache-Control', 'no-store')
  ctx.body = Readable.from(parts, { objectMode: false })
}

function sendEvents(
  ctx: Context,
  entry: Endpoint,
  listen: Listening<unknown>,
  mayListen: () => Promise<boolean>,
): void {
  ctx.set('Content-Type', 'text/event-stream; charset=utf-8')
  ctx.set('Cache-Control', 'no-store')
  // Proxies that gather an answer before they pass it on would gather for ever.
  ctx.set('X-Accel-Buffering', 'no')
  const stream = new PassThrough()
  const send = (line: string) => {
    mayListen().then(
      (may) => {
        if (stream.destroyed || stream.writableEnded) return
        if (may && stream.writableLength < MOST_UNREAD) stream.write(line)
        else stream.end()
      },
      (error: unknown) => stream.destroy(error instanceof Error ? error : new Error(String(error))),
    )
  }
  // A first word sends the head of the answer on its way.
  stream.write(ALIVE)
  const beat = setInterval(() => send(ALIVE), HEARTBEAT)
  const stop = listen(
    (event) => send(`data: ${JSON.stringify(entry.output.parse(event))}\n\n`),
    () => stream.end(),
  )
  stream.once('close', () => {
    clearInterval(beat)
    stop()
  })
  ctx.body = stream
}
