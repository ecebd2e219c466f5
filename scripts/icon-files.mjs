// The two containers that Windows and macOS keep icons in. Both hold PNG files behind a short list of what is where.

/** @typedef {{ size: number, png: Buffer }} Picture */

/** @param {Picture[]} pictures at most 256 wide @returns {Buffer} an .ico file */
export function icoOf(pictures) {
  const ENTRY = 16
  const head = Buffer.alloc(6)
  head.writeUInt16LE(1, 2)
  head.writeUInt16LE(pictures.length, 4)
  let at = head.length + ENTRY * pictures.length
  const entries = pictures.map(({ size, png }) => {
    const entry = Buffer.alloc(ENTRY)
    entry.writeUInt8(size % 256, 0) // 256 is written as 0
    entry.writeUInt8(size % 256, 1)
    entry.writeUInt16LE(1, 4)
    entry.writeUInt16LE(32, 6)
    entry.writeUInt32LE(png.length, 8)
    entry.writeUInt32LE(at, 12)
    at += png.length
    return entry
  })
  return Buffer.concat([head, ...entries, ...pictures.map(({ png }) => png)])
}

/** What macOS calls a picture of this many pixels; two names where it also serves a dense screen. @type {Record<number, string[]>} */
export const ICNS_TYPES = {
  32: ['ic11'],
  64: ['ic12'],
  128: ['ic07'],
  256: ['ic13', 'ic08'],
  512: ['ic14', 'ic09'],
  1024: ['ic10'],
}

/** @param {Picture[]} pictures of the sizes in ICNS_TYPES @returns {Buffer} an .icns file */
export function icnsOf(pictures) {
  const blocks = pictures.flatMap(({ size, png }) => (ICNS_TYPES[size] ?? []).map((type) => block(type, png)))
  return block('icns', Buffer.concat(blocks))
}

/** @param {string} type @param {Buffer} content */
function block(type, content) {
  const head = Buffer.alloc(8)
  head.write(type, 'latin1')
  head.writeUInt32BE(head.length + content.length, 4)
  return Buffer.concat([head, content])
}
