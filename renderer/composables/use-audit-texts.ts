import type { AuditEntry } from '../../api/audit.ts'
import type { AUTH_SOURCES, Factor } from '../../api/schemas.ts'
import { sentenceOf } from '../audit-sentence.ts'
import type { TextKey } from '../i18n/keys.ts'
import { useText } from './use-text.ts'

const FACTORS = {
  pwd: 'factor.pwd',
  otp: 'factor.otp',
  recovery: 'factor.recovery',
  device: 'factor.device',
  startup: 'factor.startup',
  link: 'factor.link',
  atproto: 'factor.atproto',
} as const satisfies Record<Factor, TextKey>

const METHODS = {
  password: 'source.password',
  startup_token: 'source.startup_token',
  login_token: 'source.login_token',
  atproto: 'source.atproto',
} as const satisfies Record<(typeof AUTH_SOURCES)[number], TextKey>

/** An entry of the audit in words. What has none shows itself as it is. */
export function useAuditTexts() {
  const { t } = useText()

  /** The factors that were proved, or the way that was tried. */
  function how({ method, detail }: AuditEntry): string | undefined {
    const amr = detail['amr']
    if (Array.isArray(amr) && amr.length > 0) return amr.map((factor) => said(FACTORS, String(factor))).join(', ')
    return method === null ? undefined : said(METHODS, method)
  }

  /** The code of a refusal. */
  function why({ detail }: AuditEntry): string | undefined {
    const reason = detail['reason'] ?? detail['code']
    return typeof reason === 'string' ? reason : undefined
  }

  function said(texts: Readonly<Record<string, TextKey>>, name: string): string {
    const key = texts[name]
    return key === undefined ? name : t(key)
  }

  return { how, why, sentence: (entry: AuditEntry) => sentenceOf(entry, t) }
}
