import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What precedes the fuses in a real Electron, so that tools find them. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
const FUSES = 9

const EMPTY = [
  'LICENSE',
  'LICENSES.chromium.html',
  'resources.pak',
  'icudtl.dat',
  'libffmpeg.so',
  'snapshot_blob.bin',
  'v8_context_snapshot.bin',
  'chrome-sandbox',
  'chrome_crashpad_handler',
]

/** A folder with the files of an Electron for Linux, all but its program: enough to pack with, and to set fuses in. */
export async function makeStandInElectron(folder: string, version: string): Promise<void> {
  await mkdir(join(folder, 'locales'), { recursive: true })
  await mkdir(join(folder, 'resources'), { recursive: true })
  for (const name of EMPTY) await writeFile(join(folder, name), '')
  await writeFile(join(folder, 'locales', 'en-US.pak'), '')
  await writeFile(join(folder, 'version'), version)
  const wire = Buffer.concat([Buffer.from(SENTINEL), Buffer.from([1, FUSES]), Buffer.from('0'.repeat(FUSES))])
  await writeFile(join(folder, 'electron'), Buffer.concat([Buffer.alloc(64), wire, Buffer.alloc(64)]))
  await chmod(join(folder, 'electron'), 0o755)
}
