import { onScopeDispose, readonly, ref, type Ref } from 'vue'

const EVERY = 1000
const now = ref(Date.now())
let readers = 0
let timer: ReturnType<typeof setInterval> | undefined

/** The time, moving: one clock for everybody on the page, and none when nobody looks. */
export function useNow(): Readonly<Ref<number>> {
  if (readers++ === 0) {
    now.value = Date.now()
    timer = setInterval(() => (now.value = Date.now()), EVERY)
  }
  onScopeDispose(() => {
    if (--readers === 0) clearInterval(timer)
  })
  return readonly(now)
}
