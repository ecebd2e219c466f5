import { computed } from 'vue'
import type { User } from '../../api/users.ts'
import { useReach } from './use-reach.ts'
import { useText } from './use-text.ts'

interface Rule {
  /** Whether it may be done to oneself. */
  own: boolean
  /** Those who are enabled (or not) have nothing from it. */
  idle?: () => boolean
}

/** Of those picked, for whom an act is to be done, and in words who is left out and why. */
export function useBulkTargets(picked: () => readonly User[], rule: Rule) {
  const { t } = useText()
  const { isOwn } = useReach()

  const others = computed(() => picked().filter((user) => rule.own || !isOwn(user)))
  const idle = computed(() => others.value.filter((user) => user.enabled === rule.idle?.()))
  const users = computed(() => others.value.filter((user) => !idle.value.includes(user)))
  const skipped = computed(() => {
    const names = idle.value.map(({ username }) => username).join(', ')
    return [
      ...(others.value.length < picked().length ? [t('bulk.skippedOwn')] : []),
      ...(names ? [t(rule.idle?.() ? 'bulk.skippedEnabled' : 'bulk.skippedDisabled', { names })] : []),
    ]
  })

  return { users, skipped }
}
