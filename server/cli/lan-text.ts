import type { LanStatus } from '../../api/lan.ts'

/** What the person who started the server has to know of the network, as lines. */
export function lanText({ on, urls, trust_url, authority, problems }: LanStatus): string[] {
  if (!on) return []
  return [
    ...urls.map((url) => `In the network: ${url}`),
    ...(trust_url === null ? [] : [`Devices learn to trust it at ${trust_url}`]),
    ...(authority === null ? [] : [`SHA-256 of the certificate authority: ${authority.fingerprint}`]),
    ...problems.map(({ code, detail }) => `Network problem ${code}${detail === '' ? '' : `: ${detail}`}`),
  ]
}
