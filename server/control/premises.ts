import type { Config } from '../config.ts'
import type { House } from '../house.ts'
import { VERSION } from '../version.ts'
import type { Premises } from './acts.ts'

/** What the acts work on: an open house, with a server in it or without. */
export function premisesOf(
  { deps, keyringText }: Pick<House, 'deps' | 'keyringText'>,
  { dataDirectory }: Pick<Config, 'dataDirectory'>,
  { url, running }: Pick<Premises, 'url' | 'running'>,
): Premises {
  const { clock, storage } = deps
  return {
    deps,
    url: url.replace(/\/+$/, ''),
    running,
    source: { directory: dataDirectory, version: VERSION, clock, keyring: keyringText, snapshot: storage.snapshot },
  }
}
