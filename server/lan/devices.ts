/** A device that reached us trusted. */
export interface Device {
  ip: string
  user_agent: string
  /** Milliseconds since 1970 UTC. */
  trusted_at: number
}

const MOST = 20

/** The last devices that reached us trusted, in memory only. */
export interface Devices {
  note(device: Device): void
  /** The latest first. */
  list(): Device[]
}

export function createDevices(): Devices {
  const devices = new Map<string, Device>()
  return {
    note(device) {
      const key = `${device.ip}\n${device.user_agent}`
      devices.delete(key)
      devices.set(key, device)
      const [oldest] = devices.keys()
      if (devices.size > MOST && oldest !== undefined) devices.delete(oldest)
    },
    list: () => [...devices.values()].reverse(),
  }
}
