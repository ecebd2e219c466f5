import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { empty, secondFactorCode } from './schemas.ts'

/** The authenticator app and its recovery codes; part of the area `auth`. */
export const secondFactor = {
  totpSetup: endpoint({
    method: 'POST',
    path: '/api/auth/totp/setup',
    summary: 'Begin enrolling an authenticator app',
    auth: 'browser',
    gate: 'second_factor',
    limit: 'none',
    fresh: true,
    output: z.object({ otpauth_uri: z.string(), secret: z.string() }),
    errors: ['TOTP_ALREADY_ENABLED'],
  }),

  totpConfirm: endpoint({
    method: 'POST',
    path: '/api/auth/totp/confirm',
    summary: 'Prove a code of the app being enrolled; answers the recovery codes, once',
    auth: 'browser',
    gate: 'second_factor',
    limit: 'credential',
    fresh: true,
    body: z.strictObject({ code: secondFactorCode }),
    output: z.object({ recovery_codes: z.array(z.string()) }),
    errors: ['TOTP_CODE_WRONG', 'TOTP_ALREADY_ENABLED', 'TOTP_NOT_ENABLED'],
  }),

  totpDisable: endpoint({
    method: 'POST',
    path: '/api/auth/totp/disable',
    summary: 'Switch the second factor off',
    auth: 'browser',
    limit: 'credential',
    fresh: true,
    body: z.strictObject({
      /** Not asked of a session made by the startup token: it is the way back in when the phone is lost. */
      code: secondFactorCode.optional(),
    }),
    output: empty,
    errors: ['TOTP_CODE_WRONG', 'TOTP_NOT_ENABLED'],
  }),

  totpRecovery: endpoint({
    method: 'POST',
    path: '/api/auth/totp/recovery',
    summary: 'Replace the recovery codes; the old ones end',
    auth: 'browser',
    limit: 'credential',
    fresh: true,
    body: z.strictObject({ code: secondFactorCode }),
    output: z.object({ recovery_codes: z.array(z.string()) }),
    errors: ['TOTP_CODE_WRONG', 'TOTP_NOT_ENABLED'],
  }),
}
