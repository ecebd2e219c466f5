import { open } from 'node:fs/promises'

/** Makes what was renamed in a directory durable; nothing to do on Windows. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
