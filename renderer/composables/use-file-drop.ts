import { ref, type Ref, watch } from 'vue'

/** Lets files be dropped on an element; answers whether some are held over it. */
export function useFileDrop(
  place: Readonly<Ref<HTMLElement | null>>,
  take: (files: FileList | undefined) => void,
): Ref<boolean> {
  const over = ref(false)

  function hover(event: DragEvent): void {
    event.preventDefault()
    over.value = true
  }
  function leave(): void {
    over.value = false
  }
  function drop(event: DragEvent): void {
    event.preventDefault()
    over.value = false
    take(event.dataTransfer?.files)
  }

  watch(place, (element) => {
    element?.addEventListener('dragover', hover)
    element?.addEventListener('dragleave', leave)
    element?.addEventListener('drop', drop)
  })
  return over
}
