import { open, readFile, rename } from 'node:fs/promises'
import { z } from 'zod'
import { language } from '../api/schemas.ts'

const whole = z.number().int()

/** What the desktop app remembers of itself. The server's settings are in the database. */
const settingsSchema = z.object({
  /** The one that was had last: the address, and with it the cookies, stay the same. */
  port: whole.min(1).max(65_535).optional().catch(undefined),
  /** As chosen in the page. */
  language: language.optional().catch(undefined),
  window: z
    .object({ x: whole, y: whole, width: whole.positive(), height: whole.positive(), maximized: z.boolean() })
    .optional()
    .catch(undefined),
  /** That closing the window leaves the server running is told once. */
  toldOfTray: z.boolean().catch(false),
  askBeforeUpdate: z.boolean().catch(true),
  /** Whether the keyring is given to the key store of the system, where there is one. */
  protectKeys: z.boolean().catch(true),
})
export type DesktopSettings = z.infer<typeof settingsSchema>

export interface SettingsFile {
  current(): DesktopSettings
  /** Writes one after the other; a failure is told, and what was chosen holds until the end of the program. */
  change(part: Partial<DesktopSettings>): Promise<void>
}

/** Reads the file; a damaged one counts as none, because nothing in it is dear. */
export async function openSettings(path: string, failed: (error: unknown) => void): Promise<SettingsFile> {
  let current = settingsSchema.parse(await readIfThere(path))
  let writing: Promise<void> = Promise.resolve()

  async function write(): Promise<void> {
    const beside = `${path}.next`
    const file = await open(beside, 'w', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(current, null, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  }

  return {
    current: () => current,
    change(part) {
      current = { ...current, ...part }
      writing = writing.then(write).catch(failed)
      return writing
    },
  }
}

async function readIfThere(path: string): Promise<unknown> {
  try {
    const found: unknown = JSON.parse(await readFile(path, 'utf8'))
    return typeof found === 'object' && found !== null ? found : {}
  } catch {
    return {}
  }
}
