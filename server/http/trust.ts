import type { Context, Middleware } from 'koa'
import type { Deps } from '../deps.ts'
import type { ClientAddress } from './client-address.ts'
import { mobileProfile } from './mobile-profile.ts'
import { negotiatedLanguage } from './negotiated-language.ts'
import { secureAddressOf } from './secure-address.ts'
import { CHECK_SCRIPT, DOWNLOADS, trustPage } from './trust-page.ts'
import type { System } from './trust-texts.ts'

type TrustDeps = Pick<Deps, 'lan'>

/**
 * How a device comes to trust us. Answered over plain HTTP, too, because whoever needs it cannot come otherwise yet; it
 * takes nothing, and what it gives is public.
 */
export function trustPages({ lan }: TrustDeps): Middleware {
  const answers = new Map<string, (ctx: Context) => void>([
    ['/trust', (ctx) => sendPage(ctx, lan)],
    ['/trust/', (ctx) => sendPage(ctx, lan)],
    ['/trust/check.js', (ctx) => send(ctx, 'text/javascript; charset=utf-8', CHECK_SCRIPT)],
    ['/trust/check', (ctx) => confirm(ctx, lan)],
    [DOWNLOADS.crt, (ctx) => sendAuthority(ctx, lan, 'application/x-x509-ca-cert', ({ parsed }) => parsed.raw)],
    [DOWNLOADS.pem, (ctx) => sendAuthority(ctx, lan, 'application/x-pem-file', ({ parsed }) => parsed.toString())],
    [
      DOWNLOADS.profile,
      (ctx) =>
        sendAuthority(ctx, lan, 'application/x-apple-aspen-config', ({ parsed }) =>
          mobileProfile(/^CN=(.+)$/m.exec(parsed.subject)?.[1] ?? 'Latchkey', parsed.raw),
        ),
    ],
  ])
  return (ctx, next) => {
    const answer = ctx.method === 'GET' || ctx.method === 'HEAD' ? answers.get(ctx.path) : undefined
    if (!answer) return next()
    ctx.state['route'] = ctx.path
    ctx.set('Cache-Control', 'no-store')
    answer(ctx)
  }
}

function sendPage(ctx: Context, lan: Deps['lan']): void {
  const checkUrl = checkUrlOf(ctx, lan)
  const elsewhere = checkUrl === undefined ? '' : ` ${new URL(checkUrl).origin}`
  const { urls } = lan.status()
  const authority = lan.authority()
  ctx.set('Content-Security-Policy', `${POLICY}; connect-src 'self'${elsewhere}`)
  const agent = ctx.get('User-Agent')
  const state = authority ? { fingerprint: authority.parsed.fingerprint256 } : ('files' as const)
  const page = trustPage({
    language: negotiatedLanguage(ctx.get('Accept-Language')),
    state: urls.length === 0 ? 'off' : state,
    urls,
    checkUrl,
    system: systemOf(agent),
    firefox: /\bFirefox\//.test(agent),
  })
  send(ctx, 'text/html; charset=utf-8', page)
}

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Under the name that the visitor came by; whoever sits at this machine asks as others would. */
function checkUrlOf(ctx: Context, lan: Deps['lan']): string | undefined {
  const { loopback }: ClientAddress = ctx.state['address']
  const address = loopback ? lan.address() : secureAddressOf(ctx, lan)
  return address && `${address}/trust/check`
}

/**
 * A browser that gets this answer has checked our certificate. The page may have come over plain HTTP, from another origin
 * to the browser's mind; so scripts of any may read this one answer, which says nothing and is given without cookies.
 */
function confirm(ctx: Context, lan: Deps['lan']): void {
  const { ip, loopback }: ClientAddress = ctx.state['address']
  if (!('encrypted' in ctx.socket) || lan.address() === undefined) return missing(ctx)
  ctx.set('Access-Control-Allow-Origin', '*')
  ctx.status = 204
  if (!loopback) lan.noteDevice({ ip, user_agent: ctx.get('User-Agent').slice(0, 400) })
}

type Shown = NonNullable<ReturnType<Deps['lan']['authority']>>

function sendAuthority(ctx: Context, lan: Deps['lan'], type: string, content: (authority: Shown) => string | Buffer) {
  const authority = lan.authority()
  if (!authority) return missing(ctx)
  send(ctx, type, content(authority))
}

function send(ctx: Context, type: string, body: string | Buffer): void {
  ctx.status = 200
  ctx.set('Content-Type', type)
  ctx.body = body
}

function missing(ctx: Context): void {
  ctx.status = 404
  ctx.set('Content-Type', 'text/plain; charset=utf-8')
  ctx.body = 'Not found\n'
}

/** What the visitor sits at. An iPad says that it is a Mac; the page's script knows better. */
function systemOf(agent: string): System | undefined {
  if (/iPhone|iPad|iPod/.test(agent)) return 'ios'
  if (agent.includes('Android')) return 'android'
  if (agent.includes('Windows')) return 'windows'
  if (agent.includes('Macintosh')) return 'macos'
  return agent.includes('Linux') ? 'linux' : undefined
}
