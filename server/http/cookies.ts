import type { Context } from 'koa'
import type { AnswerCookies } from '../handlers/call.ts'

/** Over TLS the name carries `__Host-`, which browsers bind to this host, path `/` and Secure. */
export function sessionCookie(secure: boolean): string {
  return secure ? '__Host-latchkey_session' : 'latchkey_session'
}

export function deviceCookie(secure: boolean): string {
  return secure ? '__Host-latchkey_device' : 'latchkey_device'
}

/** The only place that sets cookies: HttpOnly, SameSite=Lax, Path=/, living as long as what they carry. */
export function answerCookies(ctx: Context, clock: () => number): AnswerCookies {
  const secure = ctx.state['secure'] === true
  const set = (name: string, value: string, expires_at: number) => {
    ctx.cookies.secure = secure
    const maxAge = Math.max(0, expires_at - clock())
    ctx.cookies.set(name, value, { httpOnly: true, sameSite: 'lax', path: '/', maxAge, secure, overwrite: true })
  }
  return {
    setSession: ({ token, expires_at }) => set(sessionCookie(secure), token, expires_at),
    clearSession: () => set(sessionCookie(secure), '', 0),
    trustDevice: (secret, expires_at) => set(deviceCookie(secure), secret, expires_at),
  }
}
