// What a client proves: that it holds the key its tokens are bound to (DPoP), and, with a key of its own, who it is.
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { z } from 'zod'
import { type Asked, Refusal } from './answer.ts'

const publicJwk = z.looseObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  kid: z.string().optional(),
  d: z.never().optional(),
})
type PublicJwk = z.infer<typeof publicJwk>

const header = z.looseObject({
  alg: z.literal('ES256'),
  typ: z.string().optional(),
  kid: z.string().optional(),
  jwk: publicJwk.optional(),
})
const proof = z.looseObject({
  jti: z.string().min(1),
  htm: z.string(),
  htu: z.string(),
  iat: z.number().int(),
  nonce: z.string().optional(),
})
const assertion = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  jti: z.string().min(1),
  exp: z.number().int(),
})

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** How far a client's clock may be off, in seconds. */
const LEEWAY = 300

export interface Client {
  client_id: string
  redirect_uris: readonly string[]
  scope?: string | undefined
  /** Of a client with a key of its own; read anew at each request, so that a test may rotate it. */
  jwks?: { keys: readonly unknown[] } | undefined
}

export interface Proofs {
  /** Checks the DPoP proof of a request; the answer is the thumbprint of its key. */
  checkDpop(asked: Asked, demandNonce: boolean): string
  /** Checks the assertion of a client that has keys; the answer is the id of the key it used. */
  checkClient(asked: Asked, client: Client): string | undefined
  renewNonce(): void
}

export function createProofs(): Proofs {
  const seen = new Set<string>()
  let nonce = newNonce()

  function onlyOnce(jti: string, error: string): void {
    if (seen.has(jti)) throw new Refusal(error, 'this jti was used before')
    seen.add(jti)
  }

  return {
    renewNonce() {
      nonce = newNonce()
    },
    checkDpop({ origin, url, method, headers }, demandNonce) {
      const refuse = (why: string) => new Refusal('invalid_dpop_proof', why)
      const jwt = headers['dpop']
      if (typeof jwt !== 'string') throw refuse('no proof')
      const { head, claims } = open(jwt, proof, refuse)
      if (head.typ !== 'dpop+jwt' || !head.jwk) throw refuse('not a proof with its key')
      if (!isSignedBy(jwt, head.jwk)) throw refuse('signature')
      if (claims.htm !== method || claims.htu !== `${origin}${url.pathname}`) throw refuse('made for another request')
      if (Math.abs(claims.iat - Date.now() / 1000) > LEEWAY) throw refuse('made at another time')
      if (demandNonce && claims.nonce !== nonce)
        throw new Refusal('use_dpop_nonce', 'a nonce is demanded', 400, { 'DPoP-Nonce': nonce })
      onlyOnce(claims.jti, 'invalid_dpop_proof')
      return thumbprint(head.jwk)
    },
    checkClient({ origin, form }, { client_id, jwks }) {
      if (!jwks) return undefined
      const refuse = (why: string) => new Refusal('invalid_client', why, 401)
      const jwt = form['client_assertion']
      if (!jwt || form['client_assertion_type'] !== ASSERTION_TYPE) throw refuse('no assertion')
      const { head, claims } = open(jwt, assertion, refuse)
      const keys = jwks.keys.map((key) => publicJwk.parse(key))
      const key = keys.find(({ kid }) => kid !== undefined && kid === head.kid)
      if (!key || !isSignedBy(jwt, key)) throw refuse('not signed by a key of the client')
      if (claims.iss !== client_id || claims.sub !== client_id || claims.aud !== origin) throw refuse('for another')
      if (claims.exp < Date.now() / 1000) throw refuse('expired')
      onlyOnce(claims.jti, 'invalid_client')
      return key.kid
    },
  }
}

const newNonce = () => randomBytes(16).toString('base64url')

function open<T extends z.ZodType>(jwt: string, claims: T, refuse: (why: string) => Refusal) {
  const [head = '', body = ''] = jwt.split('.')
  try {
    return { head: header.parse(decode(head)), claims: claims.parse(decode(body)) }
  } catch (error) {
    throw refuse(`unreadable: ${String(error)}`)
  }
}

const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())

function isSignedBy(jwt: string, jwk: PublicJwk): boolean {
  const { kty, crv, x, y } = jwk
  const key = createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' })
  const [head, body, signature = ''] = jwt.split('.')
  const signed = Buffer.from(`${head}.${body}`)
  return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
}

const thumbprint = ({ crv, kty, x, y }: PublicJwk): string => sha256(JSON.stringify({ crv, kty, x, y }))

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
