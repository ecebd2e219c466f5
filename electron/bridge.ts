import type { z } from 'zod'
import { channelOf, desktop, type DesktopAct, type DesktopActs } from '../api/desktop.ts'
import { isOwn } from './navigation.ts'

/** The part of Electron's event that says who asks. */
export interface Asking {
  senderFrame: { url: string; parent: unknown } | null
  sender: { id: number }
}

export interface BridgeDeps {
  handle: (channel: string, listener: (asking: Asking, ...inputs: unknown[]) => unknown) => void
  /** Our origin, and the number of our window's contents; undefined while there is none. */
  ours: () => Ours
  acts: DesktopActs
  log: (text: string) => void
}

interface Ours {
  origin: string | undefined
  contents: number | undefined
}

/** Answers the page, entry by entry. Whoever is not our own page in our own window, or asks another thing, is refused. */
export function openBridge({ handle, ours, acts, log }: BridgeDeps): void {
  function open<Act extends DesktopAct>(act: Act): void {
    const entry: { input: z.ZodType; output: z.ZodType } = desktop[act]
    const run: (input: never) => unknown = acts[act]
    handle(channelOf(act), async (asking, ...inputs) => {
      if (!isOurs(asking, ours())) return refuse(log, act, 'somebody else asked')
      const input = entry.input.safeParse(inputs[0])
      if (!input.success || inputs.length > 1) return refuse(log, act, 'the input is not what the table says')
      return entry.output.parse(await apply(run, input.data))
    })
  }
  for (const act of Object.keys(desktop)) if (isAct(act)) open(act)
}

/** The input was parsed by the very entry whose act this is. */
function apply(run: (input: never) => unknown, input: unknown): unknown {
  return Reflect.apply(run, undefined, [input])
}

function isAct(name: string): name is DesktopAct {
  return Object.hasOwn(desktop, name)
}

/** The page's main frame, at our origin, in our window. */
function isOurs({ senderFrame, sender }: Asking, { origin, contents }: Ours): boolean {
  if (senderFrame === null || senderFrame.parent !== null || sender.id !== contents) return false
  const url = URL.parse(senderFrame.url)
  return url !== null && isOwn(url, origin)
}

/** What the page learns says nothing; the reason is for the log. */
function refuse(log: (text: string) => void, act: string, reason: string): never {
  log(`The call "${act}" of the page was refused: ${reason}.`)
  throw new Error('Refused')
}
