import { onScopeDispose, ref } from 'vue'

/** Whole seconds that run down to 0, by the clock and not by ticks, so that a sleeping tab stays right. */
export function useCountdown(done: () => void) {
  const seconds = ref(0)
  let end = 0
  let timer: ReturnType<typeof setInterval> | undefined

  function start(from: number): void {
    stop()
    seconds.value = from
    if (from <= 0) return
    end = Date.now() + from * 1000
    timer = setInterval(tick, 250)
  }

  function tick(): void {
    seconds.value = Math.max(0, Math.ceil((end - Date.now()) / 1000))
    if (seconds.value > 0) return
    stop()
    done()
  }

  function stop(): void {
    clearInterval(timer)
    seconds.value = 0
  }

  onScopeDispose(stop)
  return { seconds, start, stop }
}
