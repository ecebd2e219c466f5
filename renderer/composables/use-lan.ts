import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { Refused } from '../../api/client.ts'
import type { LanStatus } from '../../api/lan.ts'
import { client } from '../api.ts'
import { useAction } from './use-action.ts'

/** While somebody sets a device up: soon enough to see its check mark appear. Milliseconds. */
const LOOK_AGAIN = 4000
/** The name is announced only some seconds after the switch. Milliseconds between looks for it, and how many. */
const LOOK_FOR_NAME = 1000
const MOST_LOOKS = 20

/** Whether and how other machines reach us; asked again and again while `watching` is true or the name is on its way. */
export function useLan() {
  const status = shallowRef<LanStatus>()
  const error = shallowRef<Refused>()
  const watching = ref(false)

  async function load(): Promise<void> {
    const outcome = await client.lan.status()
    error.value = outcome.ok ? undefined : outcome.error
    if (!outcome.ok) return
    status.value = outcome.data
    lookForName(outcome.data)
  }

  let isGone = false
  let looks = 0
  let nextLook: ReturnType<typeof setTimeout> | undefined
  function lookForName(now: LanStatus): void {
    clearTimeout(nextLook)
    looks = isNameDue(now) ? looks + 1 : 0
    if (isGone || looks === 0 || looks > MOST_LOOKS) return
    nextLook = setTimeout(() => void load(), LOOK_FOR_NAME)
  }

  const remake = useAction(async () => {
    const outcome = await client.lan.makeAuthority()
    if (outcome.ok) status.value = outcome.data
    return outcome
  })

  let timer: ReturnType<typeof setInterval> | undefined
  const stop = () => clearInterval(timer)
  watch(watching, (is) => {
    stop()
    if (is) timer = setInterval(() => document.hidden || void load(), LOOK_AGAIN)
  })
  onScopeDispose(() => {
    isGone = true
    stop()
    clearTimeout(nextLook)
  })

  return { status, error, watching, load, remake }
}

/** Whether other machines reach us, and nobody knows yet by which name. */
function isNameDue({ on, name, urls, problems }: LanStatus): boolean {
  return on && name === null && urls.length > 0 && !problems.some(({ code }) => code === 'announcement_failed')
}
