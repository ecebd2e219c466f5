import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { isoDate } from './schemas.ts'

/**
 * What can be wrong with being reached over the network. Everything else goes on meanwhile.
 * - `no_address`: this machine is in no network
 * - `port_taken`: another program has our port on the address that `detail` names
 * - `address_unusable`: that address cannot be listened on
 * - `addresses_uncovered`: the authority was made in other networks and may not vouch for these addresses
 * - `authority_unreadable`: the files of the authority are damaged, or some of them are missing; a new one mends it
 * - `authority_ending`: the authority ends within 90 days; a new one mends it
 * - `certificate_unreadable`: the certificate files that were named at the start cannot be used; the last good ones are
 * - `certificate_ending`: the certificate of these files ends within 14 days, or has ended
 * - `files_unwritable`: the data directory does not take new certificates
 * - `name_taken`: another machine is known by our name; ours is another now
 * - `announcement_failed`: the name could not be announced; the addresses work
 * - `failed`: something unforeseen, which the log has
 */
const LAN_PROBLEMS = [
  'no_address',
  'port_taken',
  'address_unusable',
  'addresses_uncovered',
  'authority_unreadable',
  'authority_ending',
  'certificate_unreadable',
  'certificate_ending',
  'files_unwritable',
  'name_taken',
  'announcement_failed',
  'failed',
] as const

/** SHA-256 of a certificate as devices show it: `AB:CD:…`. */
const fingerprint = z.string()

/** Whether and how other machines of the network reach us. */
const lanStatus = z.object({
  on: z.boolean(),
  /** Switched on when the server was started (`--lan`): the setting cannot switch it off. */
  forced: z.boolean(),
  /** `https://address:port`, the best first. */
  urls: z.array(z.string()),
  /** The name that is announced in the network: `latchkey.local`; null: none. */
  name: z.string().nullable(),
  /** Where a device learns to trust us, over plain HTTP because it cannot do otherwise yet. */
  trust_url: z.string().nullable(),
  certificate: z
    .object({
      /** `authority`: signed by our own authority; `files`: from files that were named at the start. */
      source: z.enum(['authority', 'files']),
      names: z.array(z.string()),
      expires_at: isoDate,
      fingerprint,
    })
    .nullable(),
  authority: z
    .object({
      fingerprint,
      made_at: isoDate,
      expires_at: isoDate,
      /** The names and networks that it may vouch for, and no others. */
      covers: z.array(z.string()),
    })
    .nullable(),
  /** Addresses of this machine that the authority may not vouch for: browsers refuse them. */
  uncovered: z.array(z.string()),
  /** `detail` is for people who know networks; in English. */
  problems: z.array(z.object({ code: z.enum(LAN_PROBLEMS), detail: z.string() })),
  /** The last devices that reached us trusted, from the trust page. */
  devices: z.array(z.object({ ip: z.string(), user_agent: z.string(), trusted_at: isoDate })),
})
export type LanStatus = z.output<typeof lanStatus>

/** What the administrator sees of the network and does for it; `lan_enabled` of the settings switches it on. */
export const lan = {
  status: endpoint({
    method: 'GET',
    path: '/api/v2/lan',
    summary: 'Whether and how other machines of the network reach this server',
    auth: 'SETTINGS',
    limit: 'none',
    output: lanStatus,
    errors: [],
  }),

  makeAuthority: endpoint({
    method: 'POST',
    path: '/api/v2/lan/authority',
    summary: 'Make a new certificate authority; every device must install it again',
    auth: 'SETTINGS',
    limit: 'none',
    fresh: true,
    output: lanStatus,
    errors: ['LAN_OFF', 'LAN_OWN_CERTIFICATE', 'STORAGE_UNAVAILABLE'],
  }),
}
