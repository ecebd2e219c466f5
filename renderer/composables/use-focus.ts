import { nextTick, onMounted, type Ref, watch } from 'vue'

type Holder = Ref<HTMLElement | null>

const FIELDS = 'input:not([type=hidden]):not([disabled]), textarea:not([disabled])'

/** After a refusal: to the first field at fault, else to the message. */
export async function focusFault(holder: Holder): Promise<void> {
  await nextTick()
  const fault =
    holder.value?.querySelector<HTMLElement>('[aria-invalid="true"]') ??
    holder.value?.querySelector<HTMLElement>('[data-fault]')
  fault?.focus()
  if (fault instanceof HTMLInputElement) fault.select()
}

/** A new stage begins at its first empty field; without fields, at its heading. */
export function useStageFocus(holder: Holder): void {
  onMounted(async () => {
    await nextTick()
    const fields = [...(holder.value?.querySelectorAll<HTMLInputElement>(FIELDS) ?? [])]
    const target = fields.find((field) => field.value === '') ?? fields[0] ?? holder.value?.querySelector('h1')
    target?.focus()
  })
}

/** Where the focus was before the first of several windows, each opened by the one before. */
let origin: HTMLElement | undefined

/** When a window closes, the focus goes back to where it came from, and not to the top of the page. */
export function useFocusBack(open: Ref<boolean>): void {
  let before: HTMLElement | undefined

  watch(open, remember, { immediate: true, flush: 'sync' })
  function remember(shown: boolean): void {
    const place = document.activeElement
    if (!shown || !(place instanceof HTMLElement) || place === document.body) return
    before = place
    if (!place.closest('.v-overlay')) origin = place
  }

  watch(open, giveBack, { flush: 'post' })
  async function giveBack(shown: boolean): Promise<void> {
    if (shown) return
    await nextTick()
    const place = document.activeElement
    const lost = place === null || place === document.body || place.closest('[inert]') !== null
    const another = document.querySelector('.v-dialog.v-overlay--active') !== null
    if (lost) [before, another ? undefined : origin].find(canHaveFocus)?.focus()
    before = undefined
  }
}

function canHaveFocus(place: HTMLElement | undefined): boolean {
  return place !== undefined && place.checkVisibility() && place.closest('[inert]') === null
}
