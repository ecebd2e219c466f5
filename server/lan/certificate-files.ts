import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { type Certificates, endOf, type LanProblem, namesOf, reasonOf, type Shown } from './certificates.ts'

/** Milliseconds before its end from which on a certificate should have been renewed by whoever does that. */
const ENDING = 14 * 24 * 60 * 60_000

/** A certificate and key from files that others keep, read again when they change. */
export function createCertificateFiles(paths: { certificate: string; key: string }, clock: () => number): Certificates {
  let shown: Shown | undefined
  let seen = ''
  let unreadable: LanProblem | undefined

  async function read(): Promise<Shown> {
    const [certificate, key] = await Promise.all([readFile(paths.certificate, 'utf8'), readFile(paths.key, 'utf8')])
    const parsed = new X509Certificate(certificate)
    if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is not that of the certificate')
    // What neither of them says about itself: whether TLS takes them.
    createSecureContext({ cert: certificate, key })
    return { certificate, key, parsed, names: namesOf(parsed) }
  }

  return {
    source: 'files',
    async refresh() {
      try {
        const now = await lookOf(paths)
        if (now === seen) return
        // Noted first: files that are wrong are told of once and looked at again when they change.
        seen = now
        shown = await read()
        unreadable = undefined
      } catch (error) {
        const detail = `${paths.certificate}, ${paths.key}: ${reasonOf(error)}`
        unreadable = { code: 'certificate_unreadable', detail }
      }
    },
    shown: () => shown,
    authority: () => undefined,
    uncovered: () => [],
    problems: () => {
      const ending = shown && endOf(shown.parsed) - clock() < ENDING
      return [
        ...(unreadable ? [unreadable] : []),
        ...(shown && ending ? [{ code: 'certificate_ending' as const, detail: shown.parsed.validTo }] : []),
      ]
    },
    replace: () => Promise.resolve(undefined),
  }
}

/** Changes whenever one of the files does. */
async function lookOf({ certificate, key }: { certificate: string; key: string }): Promise<string> {
  const files = await Promise.all([stat(certificate), stat(key)])
  return files.map(({ mtimeMs, size, ino }) => `${mtimeMs}/${size}/${ino}`).join(' ')
}
