import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { findChromium } from '../../scripts/chromium.mjs'
import { inProject } from '../../scripts/paths.mjs'
import { startLatchkey } from '../child.ts'
import type { Figure, Section } from '../figure.ts'
import { copyOf, seeded } from '../seed.ts'
import { median } from '../statistics.ts'

const VISITS = 7

interface Visit {
  /** Milliseconds from the start of the navigation until the password field could be seen. */
  visible: number
  /** Kilobytes (1,000 bytes) of JavaScript as transferred, compressed. */
  scripts: number
  everything: number
}

export const page: Section = {
  name: 'page',
  title: 'The sign-in page in Chromium, on loopback',
  async run(bench) {
    const executablePath = findChromium()
    if (!existsSync(inProject('dist', 'page', 'index.html')) || executablePath === undefined) {
      bench.say('  Left out: the page was not built, or there is no Chromium here.')
      return []
    }
    const child = await startLatchkey(copyOf(bench, await seeded(bench, 1_000)))
    const browser = await chromium.launch({ executablePath, args: launchFlags() })
    try {
      return await measure(browser, child.url)
    } finally {
      await browser.close()
      await child.stop()
    }
  },
}

async function measure(browser: Browser, url: URL): Promise<Figure[]> {
  const visits: Visit[] = []
  for (let index = -1; index < VISITS; index++) {
    const visit = await visitOnce(browser, url)
    if (index >= 0) visits.push(visit) // the first visit is the one at which the server compresses its files
  }
  const of = (pick: (visit: Visit) => number) => median(visits.map(pick))
  return [
    {
      what: 'JavaScript of the sign-in page, as transferred',
      value: of(({ scripts }) => scripts),
      unit: 'KB',
      bar: { atMost: 200 },
    },
    { what: 'everything of the sign-in page, as transferred', value: of(({ everything }) => everything), unit: 'KB' },
    {
      what: 'navigation to a visible sign-in form, fresh browser profile',
      value: of(({ visible }) => visible) / 1000,
      unit: 's',
      bar: { atMost: 1 },
      note: `median of ${VISITS} visits, each with an empty cache; until the password field has a size, two frames painted`,
    },
  ]
}

async function visitOnce(browser: Browser, url: URL): Promise<Visit> {
  const context = await browser.newContext()
  try {
    const tab = await context.newPage()
    const bytes = await countBytes(tab)
    await tab.goto(url.href)
    const visible = await tab.evaluate(untilVisible)
    await tab.waitForLoadState('networkidle')
    return { visible, scripts: bytes.scripts / 1000, everything: bytes.everything / 1000 }
  } finally {
    await context.close()
  }
}

/** Runs in the page: milliseconds since the navigation began when the password field was painted. */
function untilVisible(): Promise<number> {
  return new Promise((resolve) => {
    const look = () => {
      const field = document.querySelector('input[type=password]')
      if (field && field.getBoundingClientRect().height > 0) requestAnimationFrame(() => resolve(performance.now()))
      else requestAnimationFrame(look)
    }
    look()
  })
}

/** Counts what comes over the wire, headers included, as the browser's own network panel does. */
async function countBytes(tab: Page): Promise<{ scripts: number; everything: number }> {
  const bytes = { scripts: 0, everything: 0 }
  const types = new Map<string, string>()
  const session = await tab.context().newCDPSession(tab)
  await session.send('Network.enable')
  session.on('Network.responseReceived', ({ requestId, type }) => void types.set(requestId, type))
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    bytes.everything += encodedDataLength
    if (types.get(requestId) === 'Script') bytes.scripts += encodedDataLength
  })
  return bytes
}

function launchFlags(): string[] {
  const flags = [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-sync',
  ]
  return process.getuid?.() === 0 ? [...flags, '--no-sandbox'] : flags
}
