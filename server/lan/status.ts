import type { LanStatus } from '../../api/lan.ts'
import { inUrl, type LanAddress } from './addresses.ts'
import { type Certificates, endOf, type LanProblem } from './certificates.ts'
import type { Device } from './devices.ts'
import { SLOW_CLOCK } from './issue.ts'

interface Facts {
  on: boolean
  forced: boolean
  port: number
  /** The best first. */
  reachable: readonly LanAddress[]
  hasAddress: boolean
  name: string | undefined
  certificates: Certificates | undefined
  problems: readonly LanProblem[]
  devices: readonly Device[]
}

/** The state of the network as the interface tells it. */
export function statusOf(facts: Facts): LanStatus {
  const { on, forced, port, reachable, hasAddress, name, certificates, problems, devices } = facts
  const [best] = reachable
  const authority = certificates?.authority()
  const shown = certificates?.shown()
  const noAddress: LanProblem[] = on && !hasAddress ? [{ code: 'no_address', detail: '' }] : []
  return {
    on,
    forced,
    urls: reachable.map(({ address }) => `https://${inUrl(address)}:${port}`),
    name: name ?? null,
    trust_url: authority && best ? `http://${inUrl(best.address)}:${port}/trust` : null,
    certificate:
      certificates && shown
        ? {
            source: certificates.source,
            names: [...shown.names],
            expires_at: isoOf(endOf(shown.parsed)),
            fingerprint: shown.parsed.fingerprint256,
          }
        : null,
    authority: authority
      ? {
          fingerprint: authority.parsed.fingerprint256,
          made_at: isoOf(Date.parse(authority.parsed.validFrom) + SLOW_CLOCK),
          expires_at: isoOf(endOf(authority.parsed)),
          covers: [...authority.covers],
        }
      : null,
    uncovered: [...(certificates?.uncovered() ?? [])],
    problems: [...noAddress, ...(certificates?.problems() ?? []), ...problems],
    devices: devices.map((device) => ({ ...device, trusted_at: isoOf(device.trusted_at) })),
  }
}

function isoOf(time: number): string {
  return new Date(time).toISOString()
}
