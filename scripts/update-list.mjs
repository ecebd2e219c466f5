// The list of a release that electron-builder writes and the app's updater reads, in the few forms that these use.

/** One list of all files, of lists that speak of the same version. Which one is an architecture's, its name says. @param {string[]} texts */
export function joinLists(texts) {
  const [first = '', ...rest] = texts
  const version = versionOf(first)
  for (const text of rest)
    if (versionOf(text) !== version) throw new Error(`Lists of different versions: ${version}, ${versionOf(text)}`)
  const own = filesOf(first)
  return first.replace(own, [own, ...rest.map(filesOf)].join(''))
}

/** @param {string} text */
function versionOf(text) {
  return /^version: (.+)$/m.exec(text)?.[1]
}

/** The lines under `files:`. @param {string} text */
function filesOf(text) {
  const found = /^files:\r?\n((?: .*\r?\n)+)/m.exec(text)?.[1]
  if (found === undefined) throw new Error('A list of a release without files')
  return found
}
