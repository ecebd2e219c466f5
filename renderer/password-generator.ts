/** Look-alikes (l, I, 1, O, 0) are left out: these passwords are read aloud and typed. */
const CLASSES = ['abcdefghijkmnopqrstuvwxyz', 'ABCDEFGHJKLMNPQRSTUVWXYZ', '23456789', '-_.:+=?#%&'] as const
const ALL = CLASSES.join('')

/** A whole number below `limit`, every one equally likely: words beyond the last full round are thrown away. */
export function randomBelow(limit: number, draw: () => number = drawWord): number {
  const fair = 2 ** 32 - (2 ** 32 % limit)
  for (;;) {
    const word = draw()
    if (word < fair) return word % limit
  }
}

/** A temporary password with every class present, at places that chance decides. */
export function generatePassword(length = 16): string {
  const letters = CLASSES.map(pick)
  while (letters.length < length) letters.push(pick(ALL))
  return shuffled(letters).join('')
}

function pick(alphabet: string): string {
  return alphabet.charAt(randomBelow(alphabet.length))
}

/** Fisher and Yates, by drawing from what is left. */
function shuffled(letters: readonly string[]): string[] {
  const left = [...letters]
  const result: string[] = []
  while (left.length > 0) result.push(...left.splice(randomBelow(left.length), 1))
  return result
}

function drawWord(): number {
  const [word] = crypto.getRandomValues(new Uint32Array(1))
  return word ?? 0
}
