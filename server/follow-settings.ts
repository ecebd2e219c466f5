import type { LiveSettings } from './domain/settings.ts'
import type { Log } from './log.ts'

/** Milliseconds after which a setting that another server changed holds here too. */
const EVERY = 2_000

/** Keeps up with the settings that other servers on the same database change; tells after each look. */
export function startFollowingSettings(settings: LiveSettings, looked: () => void, log: Log): { stop: () => void } {
  const timer = setInterval(() => {
    settings.refresh().then(looked, (reason: unknown) => {
      log.warn({ err: reason }, 'the settings could not be read; those known still hold')
    })
  }, EVERY)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
