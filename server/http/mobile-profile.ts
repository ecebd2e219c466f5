import { createHash } from 'node:crypto'
import { escapeHtml } from './html.ts'

/** A configuration profile that brings iPhones, iPads and Macs a certificate authority. */
export function mobileProfile(name: string, certificate: Uint8Array): string {
  const id = (of: string) => uuidOf(createHash('sha256').update(certificate).update(of).digest('hex'))
  const text = (key: string, value: string) => `<key>${key}</key><string>${escapeHtml(value)}</string>`
  const content = Buffer.from(certificate).toString('base64')
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>PayloadContent</key><array><dict>
${text('PayloadCertificateFileName', 'latchkey-ca.crt')}
<key>PayloadContent</key><data>${content}</data>
${text('PayloadDisplayName', name)}
${text('PayloadIdentifier', `local.latchkey.${id('certificate')}`)}
${text('PayloadType', 'com.apple.security.root')}
${text('PayloadUUID', id('certificate'))}
<key>PayloadVersion</key><integer>1</integer>
</dict></array>
${text('PayloadDisplayName', name)}
${text('PayloadIdentifier', `local.latchkey.${id('profile')}`)}
<key>PayloadRemovalDisallowed</key><false/>
${text('PayloadType', 'Configuration')}
${text('PayloadUUID', id('profile'))}
<key>PayloadVersion</key><integer>1</integer>
</dict></plist>
`
}

/** The same for the same certificate, so that installing it twice is installing it once. */
function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)]
    .join('-')
    .toUpperCase()
}
