import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

/** A developer token that has just been made. */
export interface FreshToken {
  /** The token itself. */
  token: string
  prefix: string
  name: string | null
  stops_working_on: string
}

/** Carries a new developer token from where it was made to where it is shown, once: in memory only, gone with the tab. */
export const useFreshToken = defineStore('fresh-token', () => {
  const fresh = shallowRef<FreshToken>()

  function keep(token: FreshToken): void {
    fresh.value = token
  }

  /** It has been shown, and its window was closed. */
  function reset(): void {
    fresh.value = undefined
  }

  return { fresh, keep, reset }
})
