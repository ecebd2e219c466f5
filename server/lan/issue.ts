import { createPrivateKey } from 'node:crypto'
import { isIP } from 'node:net'
import { type Constraints, encodeConstraints, NAME_CONSTRAINTS } from './constraints.ts'

/** A private key (PKCS 8) and its certificate, both as PEM. */
export interface KeyAndCertificate {
  key: string
  certificate: string
}

/** Milliseconds since 1970 UTC. */
interface Span {
  from: number
  until: number
}

/** Clocks of devices that are slow by less than this do not call a new certificate one of the future. */
export const SLOW_CLOCK = 60 * 60_000

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/**
 * Makes a certificate authority that may vouch for these names and networks and nothing else, for web servers only, and
 * for no other authority.
 */
export async function issueAuthority(
  name: string,
  constraints: Constraints,
  serial: string,
  { from, until }: Span,
): Promise<KeyAndCertificate> {
  const x509 = await loadLibrary()
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial,
    name: [{ CN: [name] }, { O: ['Latchkey'] }],
    notBefore: new Date(from - SLOW_CLOCK),
    notAfter: new Date(until),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.Extension(NAME_CONSTRAINTS, true, encodeConstraints(constraints)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { key: await pemOf(keys.privateKey), certificate: certificate.toString('pem') }
}

/** Has an authority vouch for a web server with these names and addresses. */
export async function issueLeaf(
  authority: KeyAndCertificate,
  names: readonly string[],
  serial: string,
  { from, until }: Span,
): Promise<KeyAndCertificate> {
  const x509 = await loadLibrary()
  const issuer = new x509.X509Certificate(authority.certificate)
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: [{ CN: ['Latchkey'] }],
    issuer: issuer.subjectName.toJSON(),
    notBefore: new Date(from - SLOW_CLOCK),
    notAfter: new Date(until),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await signingKeyOf(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map(generalName)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return { key: await pemOf(keys.privateKey), certificate: certificate.toString('pem') }
}

/** Only when a certificate is to be made: who has one needs no library to show it. */
async function loadLibrary() {
  // It must be there before the library is.
  await import('core-js/proposals/reflect-metadata.js')
  return import('@peculiar/x509')
}

async function pemOf(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString()
}

function generalName(value: string): { type: 'dns' | 'ip'; value: string } {
  return { type: isIP(value) === 0 ? 'dns' : 'ip', value }
}

function signingKeyOf(pem: string): Promise<CryptoKey> {
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' })
  return crypto.subtle.importKey('pkcs8', new Uint8Array(der), ALGORITHM, false, ['sign'])
}
