// The authorization server: pushed requests, a person who consents at once, codes, tokens, revocation.
import { randomBytes } from 'node:crypto'
import { type Answer, type Asked, Refusal } from './answer.ts'
import type { Behaviour } from './behaviour.ts'
import type { Directory } from './directory.ts'
import { createGrants, type Grant, secret, type Tokens } from './grants.ts'
import { type Client, createProofs, sha256 } from './proofs.ts'

interface Pushed {
  issuer: string
  clientId: string
  keyId: string | undefined
  thumbprint: string
  form: Record<string, string>
}

interface Surroundings {
  directory: Directory
  behaviour(): Behaviour
  /** The other origin, for redirects that lie about the issuer. */
  otherThan(origin: string): string
}

export function createAuthorization({ directory, behaviour, otherThan }: Surroundings) {
  const proofs = createProofs()
  const grants = createGrants()
  const clients = new Map<string, Client>()
  const requests = new Map<string, Pushed>()
  const codes = new Map<string, Pushed & { did: string }>()
  const redeemed = new Map<string, string>()

  function identify(asked: Asked) {
    const clientId = asked.form['client_id'] ?? ''
    const client = clients.get(clientId) ?? loopbackClient(clientId)
    // The proof comes first: the same assertion is sent again with the nonce that was demanded.
    const thumbprint = proofs.checkDpop(asked, behaviour().demandNonce === true)
    const keyId = proofs.checkClient(asked, client)
    return { client, clientId, keyId, thumbprint, issuer: asked.origin }
  }

  function par(asked: Asked): Answer {
    const { client, ...holder } = identify(asked)
    const { form } = asked
    if (form['response_type'] !== 'code') throw new Refusal('unsupported_response_type', 'only code')
    if (form['code_challenge_method'] !== 'S256' || !form['code_challenge'])
      throw new Refusal('invalid_request', 'PKCE with S256 is demanded')
    if (!form['state']) throw new Refusal('invalid_request', 'no state')
    if (!mayReturnTo(client, form['redirect_uri'] ?? '')) throw new Refusal('invalid_request', 'redirect_uri')
    checkScope(client, form['scope'] ?? '')
    const request_uri = `urn:ietf:params:oauth:request_uri:${secret('request')}`
    requests.set(request_uri, { ...holder, form })
    return { status: 201, body: { request_uri, expires_in: 300 } }
  }

  function authorize({ origin, url }: Asked): Answer {
    const name = url.searchParams.get('request_uri') ?? ''
    const pushed = requests.get(name)
    if (!pushed || pushed.issuer !== origin || pushed.clientId !== url.searchParams.get('client_id'))
      throw new Refusal('invalid_request', 'no such request_uri')
    requests.delete(name)
    return { status: 302, headers: { Location: returnAddress(pushed) } }
  }

  /** Where the browser goes when the person has pressed the button. */
  function returnAddress(pushed: Pushed): string {
    const { deny, noIss, wrongIss } = behaviour()
    const { form, issuer } = pushed
    const target = new URL(form['redirect_uri'] ?? '')
    target.searchParams.set('state', form['state'] ?? '')
    if (!noIss) target.searchParams.set('iss', wrongIss ? otherThan(issuer) : issuer)
    const did = deny ? undefined : whoSignsIn(pushed)
    if (did) {
      const code = secret('code')
      codes.set(code, { ...pushed, did })
      target.searchParams.set('code', code)
    } else {
      target.searchParams.set('error', typeof deny === 'string' ? deny : 'access_denied')
      target.searchParams.set('error_description', 'The person did not agree')
    }
    return target.href
  }

  function whoSignsIn({ form, issuer }: Pushed): string | undefined {
    const { otherAccount } = behaviour()
    if (otherAccount) return otherAccount
    if (form['prompt'] === 'create') return directory.add(`new-${randomBytes(5).toString('hex')}.test`, issuer).did
    if (form['login_hint']) return directory.find(form['login_hint'])?.did
    return directory.anyOf(issuer)?.did
  }

  function token(asked: Asked): Answer {
    const { client: _, ...holder } = identify(asked)
    switch (asked.form['grant_type']) {
      case 'authorization_code':
        return redeem(asked, holder)
      case 'refresh_token':
        return refresh(asked, holder)
      default:
        throw new Refusal('unsupported_grant_type', 'code or refresh_token')
    }
  }

  function redeem({ form }: Asked, holder: Omit<Pushed, 'form'>): Answer {
    const code = form['code'] ?? ''
    const made = codes.get(code)
    codes.delete(code)
    grants.revoke(redeemed.get(code) ?? '')
    const refuse = (why: string) => new Refusal('invalid_grant', why)
    if (!made) throw refuse('no such code, or used before')
    if (made.thumbprint !== holder.thumbprint) throw refuse('bound to another key')
    if (made.clientId !== holder.clientId || made.issuer !== holder.issuer) throw refuse('of another client')
    if (made.keyId !== holder.keyId) throw refuse('another key of the client')
    if (made.form['redirect_uri'] !== form['redirect_uri']) throw refuse('redirect_uri')
    if (made.form['code_challenge'] !== sha256(form['code_verifier'] ?? '')) throw refuse('code_verifier')
    const scope = behaviour().scope ?? made.form['scope'] ?? ''
    const { grant, tokens } = grants.open({ ...holder, did: made.did, scope })
    redeemed.set(code, tokens.refresh_token)
    return tokenAnswer(grant, tokens, behaviour().wrongSub)
  }

  function refresh({ form }: Asked, holder: Omit<Pushed, 'form'>): Answer {
    if (behaviour().refreshInvalid) throw new Refusal('invalid_grant', 'as the test demands')
    const grant = grants.spend(form['refresh_token'] ?? '', holder)
    return tokenAnswer(grant, grants.renew(grant))
  }

  function tokenAnswer(grant: Grant, tokens: Tokens, sub = grant.did): Answer {
    const { noScope, scope = grant.scope, expiresIn = 3600 } = behaviour()
    const said = noScope ? {} : { scope }
    return { status: 200, body: { ...tokens, ...said, token_type: 'DPoP', expires_in: expiresIn, sub } }
  }

  function revoke(asked: Asked): Answer {
    identify(asked)
    grants.revoke(asked.form['token'] ?? '')
    return { status: 200, body: {} }
  }

  return { par, authorize, token, revoke, grants: grants.list, clients, renewNonce: proofs.renewNonce }
}

/** A client that is its own metadata: `http://localhost?redirect_uri=…&scope=…`. */
function loopbackClient(client_id: string): Client {
  const url = URL.canParse(client_id) ? new URL(client_id) : undefined
  if (url?.origin !== 'http://localhost' || url.pathname !== '/')
    throw new Refusal('invalid_client', 'not a loopback client, and the test has not introduced it', 401)
  const redirect_uris = url.searchParams.getAll('redirect_uri')
  return {
    client_id,
    redirect_uris: redirect_uris.length > 0 ? redirect_uris : ['http://127.0.0.1/', 'http://[::1]/'],
    scope: url.searchParams.get('scope') ?? 'atproto',
  }
}

/** To the letter; but a loopback address may have any port (RFC 8252). */
function mayReturnTo({ redirect_uris }: Client, asked: string): boolean {
  const portless = (uri: string) => uri.replace(/^(http:\/\/(?:127\.0\.0\.1|\[::1\])):\d+/, '$1')
  return redirect_uris.some((uri) => portless(uri) === portless(asked))
}

function checkScope({ scope = 'atproto' }: Client, asked: string): void {
  const declared = scope.split(' ')
  const wanted = asked.split(' ')
  if (!wanted.includes('atproto')) throw new Refusal('invalid_scope', 'atproto is demanded')
  const undeclared = wanted.filter((one) => !declared.includes(one))
  if (undeclared.length > 0) throw new Refusal('invalid_scope', `not declared by the client: ${undeclared.join(' ')}`)
}
