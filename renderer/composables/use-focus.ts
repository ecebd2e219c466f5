import { nextTick, onMounted, type Ref } from 'vue'

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

/** A new stage begins at its first empty field. */
export function useStageFocus(holder: Holder): void {
  onMounted(async () => {
    await nextTick()
    const fields = [...(holder.value?.querySelectorAll<HTMLInputElement>(FIELDS) ?? [])]
    const target = fields.find((field) => field.value === '') ?? fields[0] ?? holder.value
    target?.focus()
  })
}
