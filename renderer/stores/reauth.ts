import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { Outcome } from '../../api/client.ts'

/** Asks once more who is there when the server wants to know, and then repeats the call. */
export const useReauth = defineStore('reauth', () => {
  const open = ref(false)
  let question: Promise<boolean> | undefined
  let answer: ((proved: boolean) => void) | undefined

  async function around<O extends Outcome<unknown>>(call: () => Promise<O>): Promise<O> {
    const outcome = await call()
    if (outcome.ok || outcome.error.code !== 'REAUTH_REQUIRED') return outcome
    return (await ask()) ? call() : outcome
  }

  function ask(): Promise<boolean> {
    open.value = true
    question ??= new Promise((resolve) => (answer = resolve))
    return question
  }

  function settle(proved: boolean): void {
    open.value = false
    question = undefined
    answer?.(proved)
  }

  return { open, around, settle }
})
