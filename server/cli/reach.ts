import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { z } from 'zod'
import { finishRestore } from '../backup/places.ts'
import type { Config } from '../config.ts'
import { type Acts, createActs } from '../control/acts.ts'
import { reachServer } from '../control/channel.ts'
import { premisesOf } from '../control/premises.ts'
import { openHouse } from '../house.ts'
import { StorageOpenError } from '../storage/errors.ts'
import { UsageError } from './command.ts'

/** A server that holds the data directory and cannot be spoken to yet is starting, or about to end. */
const MOMENT = 1_500

/** What is done, and where: in a running server, or in the house that was opened for it. */
export interface Reached {
  acts: Acts
  isServer: boolean
}

/**
 * Runs something in the house of a data directory: in the server that runs there, or, where none does, in this process, which holds
 * the directory meanwhile. Never opens an embedded database beside a server. Rejects with `StorageOpenError` or `KeyringError`.
 */
export async function inHouse<T>(config: Config, work: (reached: Reached) => Promise<T>): Promise<T> {
  const first = await tryHouse(config, work)
  if (first !== 'in use') return first.done
  await setTimeout(MOMENT)
  const second = await tryHouse(config, work)
  if (second !== 'in use') return second.done
  throw new StorageOpenError(
    'DATA_DIR_LOCKED',
    `${config.dataDirectory} is in use by a server that does not answer here. Stop it first, or try again in a moment.`,
  )
}

async function tryHouse<T>(config: Config, work: (reached: Reached) => Promise<T>): Promise<{ done: T } | 'in use'> {
  const server = await reachServer(config.dataDirectory)
  if (server) return { done: await work({ acts: server.acts, isServer: true }) }
  await finishRestore(config.dataDirectory)
  await refuseNone(config.dataDirectory)
  const house = await openHouse(config).catch((error: unknown) => {
    if (error instanceof StorageOpenError && error.code === 'DATA_DIR_LOCKED') return undefined
    throw error
  })
  if (!house) return 'in use'
  try {
    const url = config.publicUrl ?? `http://127.0.0.1:${config.port}`
    return { done: await work({ acts: createActs(premisesOf(house, config, { url })), isServer: false }) }
  } finally {
    await house.close()
  }
}

/** A command on a server that was never there must not make one. */
async function refuseNone(directory: string): Promise<void> {
  try {
    await access(join(directory, 'keyring.json'))
  } catch (cause) {
    throw new StorageOpenError(
      'DATA_DIR_UNREADABLE',
      `There is no Latchkey in ${directory}. Name its data directory with --data-dir, or start one with latchkey serve.`,
      { cause },
    )
  }
}

/** What was typed, as a verb takes it. @throws UsageError that names what is wrong */
export function inputFor<T>(schema: z.ZodType<T>, typed: Record<string, unknown>): T {
  const parsed = schema.safeParse(Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== undefined)))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new UsageError(`${String(issue?.path[0] ?? '').replaceAll('_', '-')}: ${issue?.message ?? 'is not sound'}.`)
}
