/** Where a page wants to go: on within our own pages, out to the system's browser, or nowhere. */
export type Verdict = { go: 'inside' } | { go: 'outside'; url: string } | { go: 'nowhere' }

/**
 * Addresses of ours that end at somebody else's page. A provider of accounts must be shown in the browser that the person
 * knows and that keeps his passwords, never in a window of ours; so the whole flow happens there, where its cookie is.
 */
const BEGINS_ELSEWHERE = new Set(['/api/auth/start', '/api/auth/callback'])

/** `origin` is ours; undefined while no server runs, and then nothing is. */
export function judgeNavigation(target: string, origin: string | undefined): Verdict {
  const url = URL.parse(target)
  if (!url) return { go: 'nowhere' }
  if (isOwn(url, origin))
    return BEGINS_ELSEWHERE.has(url.pathname) ? { go: 'outside', url: url.href } : { go: 'inside' }
  return isSafeOutside(url) ? { go: 'outside', url: url.href } : { go: 'nowhere' }
}

/** What the window may load at all, the page's own pictures and data included: nothing of anybody else's. */
export function mayLoad(target: string, origin: string | undefined): boolean {
  const url = URL.parse(target)
  if (!url) return false
  if (url.protocol === 'data:' || url.protocol === 'devtools:') return true
  if (url.protocol === 'blob:') return origin !== undefined && url.origin === origin
  return isOwn(url, origin)
}

/** A page of ours. (Pages without an origin, such as `data:`, have one that reads "null".) */
export function isOwn(url: URL, origin: string | undefined): boolean {
  return (
    origin !== undefined &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.origin === origin &&
    !url.username &&
    !url.password
  )
}

function isSafeOutside(url: URL): boolean {
  return url.protocol === 'https:' && !url.username && !url.password
}

interface Leaving {
  url: string
  isMainFrame: boolean
  preventDefault(): void
}

/** The part of Electron's `WebContents` that is guarded. */
export interface Guarded {
  on(event: 'will-navigate' | 'will-frame-navigate' | 'will-redirect', listener: (leaving: Leaving) => void): unknown
  on(event: 'will-attach-webview', listener: (event: { preventDefault(): void }) => void): unknown
  setWindowOpenHandler(handler: (details: { url: string }) => { action: 'deny' }): void
}

export interface GuardOptions {
  origin: () => string | undefined
  openOutside: (url: string) => void
  /** Where a new window was asked for, our own page is shown in the one that is there. */
  show: (url: string) => void
}

/** Keeps a window on our own pages. Only a person's press leads outside; what a server redirects to does not. */
export function guardContents(contents: Guarded, { origin, openOutside, show }: GuardOptions): void {
  contents.on('will-navigate', (leaving) => {
    const verdict = judgeNavigation(leaving.url, origin())
    if (verdict.go === 'inside') return
    leaving.preventDefault()
    if (verdict.go === 'outside') openOutside(verdict.url)
  })
  const staysInside = (leaving: Leaving) => {
    if (judgeNavigation(leaving.url, origin()).go !== 'inside') leaving.preventDefault()
  }
  // The main frame is the business of `will-navigate`, which would not come any more.
  contents.on('will-frame-navigate', (leaving) => leaving.isMainFrame || staysInside(leaving))
  contents.on('will-redirect', staysInside)
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(({ url }) => {
    const verdict = judgeNavigation(url, origin())
    if (verdict.go === 'outside') openOutside(verdict.url)
    else if (verdict.go === 'inside') show(url)
    return { action: 'deny' }
  })
}
