import { ref } from 'vue'

/** Copies text, also where the browser keeps its clipboard from pages without TLS. */
export function useCopy() {
  const copied = ref(false)

  async function copy(text: string): Promise<void> {
    copied.value = await write(text)
    if (copied.value) setTimeout(() => (copied.value = false), 2500)
  }

  return { copied, copy }
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return writeBySelection(text)
  }
}

function writeBySelection(text: string): boolean {
  const holder = document.activeElement?.closest('[role=dialog]') ?? document.body
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'visually-hidden'
  holder.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}
