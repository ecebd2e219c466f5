import type { Middleware } from 'koa'
import { authOf, codesOf, type Endpoint, limitOf, type Table } from '../../api/endpoint.ts'
import { ERROR_STATUS } from '../../api/errors.ts'
import { errorTexts } from '../../api/texts/index.ts'
import { escapeHtml } from './html.ts'

const STYLE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The reference page: the table as a person reads it. Drawn at the first use, without scripts. */
export function referencePage(table: Table, version: string): Middleware {
  let html: string | undefined
  return (ctx, next) => {
    if (ctx.path !== '/api/reference' || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next()
    ctx.state['route'] = '/api/reference'
    ctx.set('Content-Security-Policy', STYLE_POLICY)
    ctx.type = 'text/html; charset=utf-8'
    ctx.body = html ??= draw(table, version)
  }
}

function draw(table: Table, version: string): string {
  const areas = Object.entries(table).map(
    ([area, entries]) =>
      `<section><h2 id="${area}">${escapeHtml(area)}</h2>${Object.values(entries).map(drawEntry).join('')}</section>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Latchkey interface ${escapeHtml(version)}</title><style>
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
article{border-block-start:1px solid #8886;padding-block:1rem}
h3{font:600 1rem/1.4 ui-monospace,monospace;margin:0}
table{border-collapse:collapse}td{padding:.1rem 1rem .1rem 0;vertical-align:top}
code{font:.9em ui-monospace,monospace}small{opacity:.8}
</style></head><body><main>
<h1>Latchkey interface <small>${escapeHtml(version)}</small></h1>
<p>The same as a document for machines: <a href="/api/openapi.json">openapi.json</a>.
Answers are <code>{"status":"ok","data":…}</code> or <code>{"status":"error","error":"CODE","message":"…"}</code>.</p>
${areas.join('\n')}
</main></body></html>
`
}

function drawEntry(entry: Endpoint): string {
  const traits = [
    `caller: ${authOf(entry)}`,
    entry.gate === 'open' ? 'usable while a password change is required' : '',
    entry.fresh ? 'needs a recent re-authentication' : '',
    limitOf(entry) !== 'none' ? 'failures are limited by address' : '',
  ].filter(Boolean)
  const codes = codesOf(entry)
    .map(
      (code) =>
        `<tr><td>${ERROR_STATUS[code]}</td><td><code>${code}</code></td><td>${escapeHtml(errorTexts.en[code])}</td></tr>`,
    )
    .join('')
  return `<article><h3>${entry.method} ${escapeHtml(entry.path)}</h3><p>${escapeHtml(entry.summary)}<br><small>${escapeHtml(traits.join(' · '))}</small></p>
<details><summary>Refusals</summary><table>${codes}</table></details></article>`
}
