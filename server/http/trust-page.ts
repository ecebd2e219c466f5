import { escapeHtml } from './html.ts'
import type { Language } from '../../api/schemas.ts'
import { SYSTEMS, type System, TRUST_TEXTS, type TrustText } from './trust-texts.ts'

/** Where the authority can be downloaded. */
export const DOWNLOADS = {
  crt: '/trust/latchkey-ca.crt',
  pem: '/trust/latchkey-ca.pem',
  profile: '/trust/latchkey.mobileconfig',
} as const

export interface TrustFacts {
  language: Language
  /** `off`: nobody can reach us over the network; `files`: with a certificate that is not ours. */
  state: 'off' | 'files' | { fingerprint: string }
  urls: readonly string[]
  /** Where the browser asks whether it trusts us. */
  checkUrl: string | undefined
  system: System | undefined
  firefox: boolean
}

/** The page that teaches a device to trust us. Works without its script, which only asks whether it does already. */
export function trustPage(facts: TrustFacts): string {
  const { language, state, checkUrl } = facts
  const text = TRUST_TEXTS[language]
  const body =
    state === 'off'
      ? `<p>${text.off}</p>`
      : `${state === 'files' ? `<p>${text.files}</p>` : ''}${checkUrl === undefined ? '' : drawCheck(text, checkUrl)}${
          state === 'files' ? '' : drawSteps(text, state.fingerprint, facts)
        }${drawAddresses(text, facts.urls)}`
  const lead = typeof state === 'object' ? `<p>${text.lead}</p>` : ''
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${text.title} · Latchkey</title>
<style>${STYLE}</style></head>
<body><main><h1>${text.title}</h1>${lead}${body}</main></body>
</html>
`
}

function drawCheck({ check }: TrustText, url: string): string {
  const said = Object.entries({ url, yes: check.yes, no: check.no })
    .map(([name, value]) => `data-${name}="${escapeHtml(value)}"`)
    .join(' ')
  return `<p id="check" role="status" ${said}>${check.asking}</p><script src="/trust/check.js" defer></script>`
}

function drawSteps(text: TrustText, fingerprint: string, { system, firefox }: TrustFacts): string {
  const { compare, install, systems } = text
  const isOpen = (one: System) => one === system || (one === 'firefox' && firefox)
  const drawn = SYSTEMS.map((one) => {
    const steps = systems[one].steps.map((step) => `<li>${withDownloads(step)}</li>`).join('')
    return `<details id="${one}"${isOpen(one) ? ' open' : ''}><summary>${systems[one].name}</summary><ol>${steps}</ol></details>`
  })
  return `<h2>${compare.title}</h2><p>${compare.text}</p>
<p>${compare.where}<br><code>${escapeHtml(fingerprint).replaceAll(':', ':<wbr>')}</code></p>
<h2>${install.title}</h2><p>${install.text}</p>${drawn.join('')}`
}

function withDownloads(step: string): string {
  const link = (path: string) => `<a href="${path}" download>${path.slice(path.lastIndexOf('/') + 1)}</a>`
  return (
    step
      .replace('{crt}', link(DOWNLOADS.crt))
      .replace('{pem}', link(DOWNLOADS.pem))
      // Offered as a download, Safari would keep it as a file; opened, it offers to install it.
      .replace('{profile}', link(DOWNLOADS.profile).replace(' download', ''))
  )
}

function drawAddresses({ open }: TrustText, urls: readonly string[]): string {
  if (urls.length === 0) return ''
  const links = urls.map((url) => `<li><a href="${escapeHtml(url)}/">${escapeHtml(url)}</a></li>`)
  return `<h2>${open.title}</h2><p>${open.text}</p><ul>${links.join('')}</ul>`
}

const STYLE = `
:root{color-scheme:light dark;font:1rem/1.6 system-ui,sans-serif;overflow-wrap:anywhere;background:light-dark(#fff,#121212);color:light-dark(#1a1a1a,#eee)}
a{color:light-dark(#0b57a4,#8ab4f8)}
body{max-width:44rem;margin:2rem auto;padding:0 1.25rem}
h1{font-size:1.6rem;line-height:1.3}h2{font-size:1.15rem;margin-block-start:2rem}
code{font:.95rem/1.7 ui-monospace,monospace;font-weight:600}
#check{border-inline-start:.4rem solid #b26a00;padding:.5rem 1rem;background:light-dark(#f2f2f2,#242424)}
#check.trusted{border-color:#2e7d32;font-weight:600}
details{border-block-end:1px solid #8886}summary{padding-block:.75rem;cursor:pointer;font-weight:600}
li{margin-block:.35rem}
`

/** Asks over TLS, again and again until it succeeds. An iPad calls itself a Mac. */
export const CHECK_SCRIPT = `const check = document.getElementById('check')
if (navigator.maxTouchPoints > 1 && /Mac/.test(navigator.userAgent)) {
  const [mac, ios] = ['macos', 'ios'].map((id) => document.getElementById(id))
  if (mac && ios) [mac.open, ios.open] = [false, true]
}
async function ask() {
  try {
    const answer = await fetch(check.dataset.url, { mode: 'cors', credentials: 'omit', cache: 'no-store' })
    if (answer.ok) {
      check.textContent = '✓ ' + check.dataset.yes
      check.classList.add('trusted')
      return
    }
  } catch {}
  if (check.textContent !== check.dataset.no) check.textContent = check.dataset.no
  setTimeout(ask, 4000)
}
ask()
`
