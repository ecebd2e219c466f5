import type { IncomingHttpHeaders } from 'node:http'

/** A request as the endpoints of the provider see it. */
export interface Asked {
  /** Where it was sent: the provider is two origins, each a PDS and an issuer of its own. */
  origin: string
  method: string
  url: URL
  headers: IncomingHttpHeaders
  form: Record<string, string>
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: unknown
}

/** An error of OAuth: its code, a status, and why, for whoever debugs a test. */
export class Refusal extends Error {
  readonly answer: Answer

  constructor(error: string, why: string, status = 400, headers: Record<string, string> = {}) {
    super(`${error}: ${why}`)
    this.answer = { status, headers, body: { error, error_description: why } }
  }
}
