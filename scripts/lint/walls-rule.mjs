// The lint rule that keeps walls.mjs: every way to name another module is looked at, relative ones by where they lead.
import { isBuiltin } from 'node:module'
import { dirname, join, relative, sep } from 'node:path/posix'
import { root } from '../paths.mjs'
import { walls } from './walls.mjs'

/** A path inside the project with forward slashes. @param {string} file */
const projectPath = (file) => relative(root.replaceAll('\\', '/'), file.replaceAll('\\', '/'))

/**
 * What a specifier means: a path in the project, `node:name`, or a package.
 * @param {string} specifier @param {string} from the importing file's project path
 */
function target(specifier, from) {
  const bare = specifier.split('?')[0] ?? specifier
  if (bare.startsWith('.')) return join(dirname(from), bare)
  if (bare.startsWith('/')) return bare.slice(sep.length)
  return isBuiltin(bare) && !bare.startsWith('node:') ? `node:${bare}` : bare
}

/** @param {string} pattern @param {string} name */
function matches(pattern, name) {
  if (pattern.endsWith('/') || pattern === 'node:') return name.startsWith(pattern)
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1))
  return name === pattern || name.startsWith(`${pattern}/`)
}

/** @param {string[] | undefined} patterns @param {string} name */
const anyMatches = (patterns, name) => patterns?.some((pattern) => matches(pattern, name)) ?? false

/** @param {string} file project path @returns {import('./walls.mjs').Wall | undefined} */
function wallOf(file) {
  return walls.filter(({ place }) => matches(place, file)).sort((a, b) => b.place.length - a.place.length)[0]
}

/** @param {import('./walls.mjs').Wall} wall @param {string} name @param {boolean} typeOnly */
function isAllowed(wall, name, typeOnly) {
  if (wall.never) return !anyMatches(wall.never, name)
  return anyMatches(wall.may, name) || (typeOnly && anyMatches(wall.types, name))
}

/** @type {import('eslint').Rule.RuleModule} */
export const wallsRule = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      wall: '{{place}} may not import {{name}}{{as}}. Move the code, not the wall (scripts/lint/walls.mjs).',
    },
  },
  create(context) {
    const file = projectPath(context.filename)
    const wall = wallOf(file)
    if (wall === undefined) return {}
    /** @param {any} node @param {any} source @param {boolean} typeOnly */
    const look = (node, source, typeOnly) => {
      if (typeof source?.value !== 'string') return
      const name = target(source.value, file)
      if (isAllowed(wall, name, typeOnly)) return
      const as = isAllowed(wall, name, true) ? ' but as `import type`' : ''
      context.report({ node, messageId: 'wall', data: { place: wall.place, name, as } })
    }
    return /** @type {import('eslint').Rule.RuleListener} */ ({
      /** @param {any} node */
      ImportDeclaration: (node) => look(node, node.source, node.importKind === 'type'),
      /** @param {any} node */
      ExportNamedDeclaration: (node) => look(node, node.source, node.exportKind === 'type'),
      /** @param {any} node */
      ExportAllDeclaration: (node) => look(node, node.source, node.exportKind === 'type'),
      /** @param {any} node */
      ImportExpression: (node) => look(node, node.source, false),
      /** @param {any} node */
      TSImportType: (node) => look(node, node.source ?? node.argument?.literal, true),
      /** @param {any} node */
      'CallExpression[callee.name="require"]': (node) => look(node, node.arguments[0], false),
    })
  },
}
