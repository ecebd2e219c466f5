import { z } from 'zod'
import { typedHandle } from './accounts.ts'
import { endpoint } from './endpoint.ts'
import { empty, isoDate, text } from './schemas.ts'

/** Eight characters that cannot be mixed up, as shown with a dash in the middle: typed in any case, spaces and dashes allowed. */
const pairingCode = text()
  .max(40)
  .transform((typed) => typed.toUpperCase().replaceAll(/[\s-]/g, ''))
  .pipe(z.string().regex(/^[0-9A-HJKMNP-TV-Z]{8}$/, 'the eight characters'))

/**
 * ATProto sign-in for a browser that the provider cannot send back to us, because only this machine itself can be: that
 * browser shows a code, somebody at this machine signs in, and the browser gets the exchange token. Part of the area `auth`.
 */
export const pairing = {
  startPairing: endpoint({
    method: 'POST',
    path: '/api/auth/pairing/start',
    summary: 'Begin a pairing; the code is to be typed at the machine that runs Latchkey',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'credential',
    body: z.strictObject({ handle: typedHandle }),
    output: z.object({
      /** `ABCD-2345`. */
      code: z.string(),
      /** What to open at that machine, code included. */
      url: z.string(),
      expires_at: isoDate,
    }),
    errors: ['ATPROTO_DISABLED', 'INSECURE_TRANSPORT'],
  }),

  showPairing: endpoint({
    method: 'POST',
    path: '/api/auth/pairing/show',
    summary: 'Which browser waits with this code; answered at this machine only',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'credential',
    body: z.strictObject({ code: pairingCode }),
    output: z.object({ handle: z.string(), ip: z.string(), user_agent: z.string(), expires_at: isoDate }),
    errors: ['PAIRING_CODE_INVALID', 'PAIRING_ELSEWHERE'],
  }),

  approvePairing: endpoint({
    method: 'POST',
    path: '/api/auth/pairing/approve',
    summary: 'Sign in for the browser that waits with this code; at this machine only',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'credential',
    body: z.strictObject({ code: pairingCode }),
    output: z.object({ auth_url: z.string() }),
    errors: [
      'PAIRING_CODE_INVALID',
      'PAIRING_ELSEWHERE',
      'ATPROTO_DISABLED',
      'HANDLE_UNRESOLVED',
      'PROVIDER_UNREACHABLE',
      'PAIRING_REQUIRED',
      'INSECURE_TRANSPORT',
    ],
  }),

  claimPairing: endpoint({
    method: 'POST',
    path: '/api/auth/pairing/claim',
    summary: 'Ask, in the browser that began the pairing, whether it is done; gives the exchange token once',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    output: z.object({
      state: z.enum(['waiting', 'done', 'refused']),
      /** When done. */
      exchange_token: z.string().optional(),
      /** When refused: one of the error codes. */
      reason: z.string().optional(),
    }),
    errors: ['PAIRING_CODE_INVALID'],
  }),

  cancelPairing: endpoint({
    method: 'POST',
    path: '/api/auth/pairing/cancel',
    summary: 'Give up the pairing that this browser began',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    output: empty,
    errors: [],
  }),
}
