// All icons of the desktop app from one drawing, renderer/public/favicon.svg. Run it after changing that, and commit the result:
//   node scripts/icons.mjs
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { provideChromium } from './chromium.mjs'
import { icnsOf, ICNS_TYPES, icoOf } from './icon-files.mjs'
import { inProject } from './paths.mjs'

const folder = inProject('packaging', 'icons')
const drawing = readFileSync(inProject('renderer', 'public', 'favicon.svg'), 'utf8')
/** macOS shows icons with air around them, as part of the picture. */
const withAir = framed(drawing, -5, 58)
/** In its menu bar only the shape counts: black, which the system turns into what fits. */
const shape = framed(
  drawing
    .replace(/<rect[^>]*>/, '')
    .replace('fill="#f6efe3"', 'fill="#000"')
    .replace(/<circle[^>]*>/, ''),
  9,
  30,
)

/** @param {string} svg @param {number} from @param {number} extent */
function framed(svg, from, extent) {
  return svg.replace(/viewBox="[^"]*"/, `viewBox="${from} ${from} ${extent} ${extent}"`)
}

const browser = await chromium.launch({
  executablePath: await provideChromium(),
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
})
const page = await browser.newPage()

/** @param {string} svg @param {number} size */
async function render(svg, size) {
  await page.setViewportSize({ width: size, height: size })
  await page.setContent(`<style>*{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`)
  return page.screenshot({ omitBackground: true })
}

/** @param {string} svg @param {number[]} sizes */
async function renderAll(svg, sizes) {
  const pictures = []
  for (const size of sizes) pictures.push({ size, png: await render(svg, size) })
  return pictures
}

/** @param {string} name @param {Buffer} content */
const write = (name, content) => writeFileSync(join(folder, name), content)

rmSync(folder, { recursive: true, force: true })
mkdirSync(join(folder, 'linux'), { recursive: true })
write('icon.ico', icoOf(await renderAll(drawing, [16, 24, 32, 48, 64, 128, 256])))
write('icon.icns', icnsOf(await renderAll(withAir, Object.keys(ICNS_TYPES).map(Number))))
for (const { size, png } of await renderAll(drawing, [16, 32, 48, 64, 128, 256, 512]))
  write(join('linux', `${size}x${size}.png`), png)
write('icon.png', await render(drawing, 256))
write('tray.png', await render(drawing, 32))
write('tray@2x.png', await render(drawing, 64))
write('trayTemplate.png', await render(shape, 16))
write('trayTemplate@2x.png', await render(shape, 32))
await browser.close()
