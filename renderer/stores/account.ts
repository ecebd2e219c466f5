import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Refused } from '../../api/client.ts'
import type { Answered } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'

export type OwnRecord = Answered<ApiTable['users']['readMe']>
export type Session = Answered<ApiTable['auth']['sessions']>['sessions'][number]
export type TrustedDevice = Answered<ApiTable['auth']['trustedDevices']>['devices'][number]

/** One's own record, sessions and trusted browsers. */
export const useAccount = defineStore('account', () => {
  const record = ref<OwnRecord>()
  const sessions = ref<Session[]>([])
  const devices = ref<TrustedDevice[]>([])
  const error = shallowRef<Refused>()
  const current = computed(() => sessions.value.find((session) => session.current))

  async function hydrate(): Promise<void> {
    error.value = undefined
    await Promise.all([loadRecord(), loadSessions(), loadDevices()])
  }

  async function loadRecord(): Promise<void> {
    const outcome = await client.users.readMe()
    if (outcome.ok) record.value = outcome.data
    else error.value = outcome.error
  }

  let asked = 0
  /** An answer that a later question has overtaken is dropped: it may show what has ended since. */
  async function loadSessions(): Promise<void> {
    const turn = ++asked
    const outcome = await client.auth.sessions()
    if (turn !== asked) return
    if (outcome.ok) sessions.value = outcome.data.sessions
    else error.value = outcome.error
  }

  async function loadDevices(): Promise<void> {
    const outcome = await client.auth.trustedDevices()
    if (outcome.ok) devices.value = outcome.data.devices
    else error.value = outcome.error
  }

  function reset(): void {
    record.value = undefined
    sessions.value = []
    devices.value = []
    error.value = undefined
  }

  return { record, sessions, devices, error, current, hydrate, loadRecord, loadSessions, loadDevices, reset }
})
