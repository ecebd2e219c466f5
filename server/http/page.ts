import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Context, Middleware } from 'koa'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}
const COMPRESSED = new Set(['.html', '.js', '.css', '.json', '.svg', '.webmanifest', '.txt'])

const toBrotli = promisify(brotliCompress)
const toGzip = promisify(gzip)

interface File {
  type: string
  etag: string
  plain: Buffer
  br?: Buffer
  gzip?: Buffer
}

/**
 * Serves the built page. The files are listed once: a path that is not on the list cannot be reached, whatever it
 * contains. Each is read and compressed at its first use and then kept (the page is a few hundred kilobytes). Paths
 * of the page's own router answer its `index.html`.
 */
export function servePage(directory: string): Middleware {
  const known = new Set(list(directory))
  const files = new Map<string, Promise<File>>()

  const load = (path: string) => {
    const loading = files.get(path) ?? loadFile(join(directory, path), extname(path))
    files.set(path, loading)
    loading.catch(() => files.delete(path))
    return loading
  }

  return async (ctx) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.status = 405
      ctx.set('Allow', 'GET, HEAD')
      return
    }
    const isFile = ctx.path !== '/index.html' && known.has(ctx.path)
    // A missing asset is missing; any other path is the page's own router's to judge.
    if (!isFile && (ctx.path.startsWith('/assets/') || !known.has('/index.html'))) return notFound(ctx)
    ctx.set('Cache-Control', cachingOf(ctx.path))
    send(ctx, await load(isFile ? ctx.path : '/index.html'))
  }
}

/** What has a hash in its name never changes; an address that can hold a secret leaves no trace in a cache. */
function cachingOf(path: string): string {
  if (path.startsWith('/assets/')) return 'public, max-age=31536000, immutable'
  return /^\/login\/token(\/|$)/.test(path) ? 'no-store' : 'no-cache'
}

function send(ctx: Context, file: File): void {
  ctx.status = 200
  ctx.set('ETag', file.etag)
  ctx.vary('Accept-Encoding')
  ctx.type = file.type
  if (ctx.fresh) {
    ctx.status = 304
    return
  }
  // Ours to choose among what is accepted: browsers name gzip first and mean nothing by it.
  const accepted = ctx.acceptsEncodings()
  if (accepted.includes('br') && file.br) return answer(ctx, file.br, 'br')
  if (accepted.includes('gzip') && file.gzip) return answer(ctx, file.gzip, 'gzip')
  ctx.body = file.plain
}

function answer(ctx: Context, body: Buffer, encoding: string): void {
  ctx.set('Content-Encoding', encoding)
  ctx.body = body
}

function notFound(ctx: Context): void {
  ctx.status = 404
  ctx.type = 'text/plain; charset=utf-8'
  ctx.body = 'Not found\n'
}

async function loadFile(path: string, extension: string): Promise<File> {
  const plain = await readFile(path)
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
  const type = TYPES[extension] ?? 'application/octet-stream'
  if (!COMPRESSED.has(extension)) return { type, etag, plain }
  const [br, gz] = await Promise.all([
    toBrotli(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }),
    toGzip(plain, { level: 6 }),
  ])
  return { type, etag, plain, br, gzip: gz }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length).split(sep).join('/'))
  } catch {
    return []
  }
}
