import { X509Certificate } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Finding, ok, type Patient, problem, warning } from './finding.ts'

const DAY = 86_400_000
const SOON = 14 * DAY

/** Certificates, their own and those that were named at the start. */
export async function checkCertificates({ config, now }: Patient): Promise<Finding[]> {
  const name = 'certificate'
  const folder = join(config.dataDirectory, 'tls')
  const files = (await readdir(folder).catch(() => [])).filter((file) => /\.(pem|crt|cer)$/i.test(file))
  const paths = [...(config.tlsCert === undefined ? [] : [config.tlsCert]), ...files.map((file) => join(folder, file))]
  const found = await Promise.all(paths.map(async (path) => ({ path, text: await readText(path) })))
  const certificates = found.filter(({ path, text }) => path === config.tlsCert || /BEGIN CERTIFICATE/.test(text ?? ''))
  if (certificates.length === 0)
    return [ok(name, 'There is none: no other machine is served over TLS, or a proxy does that.')]
  return certificates.map(({ path, text }) => judge(name, path, text, now))
}

function judge(name: string, path: string, text: string | undefined, now: number): Finding {
  const certificate = parse(text)
  if (!certificate) return problem(name, `${path} is no certificate.`, 'Name another with --tls-cert, or remove it.')
  const what = `${basename(path)} (${certificate.subject.replaceAll('\n', ', ')})`
  const ends = certificate.validToDate.getTime()
  const until = certificate.validToDate.toISOString().slice(0, 10)
  const renew = certificate.ca
    ? 'Have a new authority made on the page Settings, and trust it on all devices.'
    : 'A running server renews its own; others must be replaced by hand.'
  if (certificate.validFromDate.getTime() > now)
    return problem(name, `${what} is not valid yet.`, 'Look at the clock, or at who made the certificate.')
  if (ends <= now) return problem(name, `${what} ended on ${until}.`, renew)
  if (ends - now < SOON) return warning(name, `${what} ends on ${until}.`, renew)
  return ok(name, `${what} is valid until ${until}.`)
}

function parse(text: string | undefined): X509Certificate | undefined {
  try {
    return text === undefined ? undefined : new X509Certificate(text)
  } catch {
    return undefined
  }
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
