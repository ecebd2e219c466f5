import { defineStore } from 'pinia'
import { ref } from 'vue'

/** A short word that something was done; the shell shows it. */
export const useNotices = defineStore('notices', () => {
  const text = ref('')
  const open = ref(false)

  function say(news: string): void {
    text.value = news
    open.value = true
  }

  return { text, open, say }
})
