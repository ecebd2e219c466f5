// Progress on stderr: one line when a step starts, one when it ends, and a sign of life in between
// (a ticking line on a terminal, a line every ten seconds in a log).
const { stderr } = process
/** @type {Map<string, number>} */
const running = new Map()
/** @type {NodeJS.Timeout | undefined} */
let ticking
let ticks = 0

/** @param {number} since */
const seconds = (since) => (performance.now() - since) / 1000

/** @param {string} line */
export function say(line) {
  stderr.write(`${stderr.isTTY ? '\r\x1b[K' : ''}${line}\n`)
}

/**
 * Runs `work` as a named step and reports how long it took.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const started = performance.now()
  running.set(title, started)
  if (!stderr.isTTY) say(`… ${title}`)
  show()
  try {
    const result = await work()
    finish(title)
    say(`✓ ${title} (${seconds(started).toFixed(1)} s)`)
    return result
  } catch (error) {
    finish(title)
    say(`✗ ${title} (${seconds(started).toFixed(1)} s)`)
    throw error
  }
}

function show() {
  if (stderr.isTTY) redraw()
  ticking ??= setInterval(tick, 1000).unref()
}

function tick() {
  ticks += 1
  if (stderr.isTTY) redraw()
  else if (ticks % 10 === 0) stderr.write(`  still busy: ${summary()}\n`)
}

function redraw() {
  stderr.write(`\r\x1b[K… ${summary().slice(0, (stderr.columns ?? 80) - 3)}`)
}

const summary = () => [...running].map(([title, since]) => `${title} ${seconds(since).toFixed(0)} s`).join(' · ')

/** @param {string} title */
function finish(title) {
  running.delete(title)
  if (running.size > 0) return
  clearInterval(ticking)
  ticking = undefined
  ticks = 0
}
