import { ESLint } from 'eslint'
import { describe, expect, test } from 'vitest'

// Only the rules that keep the house are asked: the type-aware ones need files on disk, and these are virtual.
const eslint = new ESLint({
  overrideConfig: {
    languageOptions: { parserOptions: { projectService: false } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-misused-promises': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'off',
    },
  },
})

async function rulesBroken(filePath: string, code: string): Promise<string[]> {
  const text = filePath.endsWith('.vue') ? `<script setup lang="ts">\n${code}\n</script>\n` : `${code}\n`
  const [result] = await eslint.lintText(text, { filePath })
  return (result?.messages ?? [])
    .filter(({ severity }) => severity === 2)
    .map(({ ruleId, message }) => ruleId ?? message)
}

describe('a wall lets nothing through', () => {
  test.each([
    ['api/users.ts', `import 'node:fs'`],
    ['api/users.ts', `import 'crypto'`],
    ['api/users.ts', `import { z } from '../renderer/main.ts'`],
    ['api/users.ts', `import axios from 'axios'`],
    ['api/users.ts', `export { start } from '../server/start.ts'`],
    ['api/users.ts', `export * from '../server/start.ts'`],
    ['api/texts/en.ts', `import 'vue'`],
    ['server/start.ts', `import 'electron'`],
    ['server/start.ts', `import Koa from 'koa'`],
    ['server/start.ts', `import { sql } from 'kysely'`],
    ['server/config.ts', `import '../renderer/main.ts'`],
    ['server/cli/user.ts', `import { tool } from '../../scripts/processes.mjs'`],
    ['server/cli/user.ts', `import { createDatabase } from '../../test/helpers/postgres.ts'`],
    ['server/domain/sessions.ts', `import Koa from 'koa'`],
    ['server/domain/sessions.ts', `import { sql } from 'kysely'`],
    ['server/domain/sessions.ts', `import { readFileSync } from 'node:fs'`],
    ['server/domain/sessions.ts', `import { createStorage } from '../storage/port.ts'`],
    ['server/domain/sessions.ts', `import type { Tables } from '../storage/tables.ts'`],
    ['server/domain/sessions.ts', `import { users } from '../handlers/users.ts'`],
    ['server/domain/policy/rules.ts', `import { mount } from '../../http/mount.ts'`],
    ['server/domain/sessions.ts', `export const later = () => import('../http/mount.ts')`],
    ['server/domain/sessions.ts', `export type Context = import('koa').Context`],
    ['server/handlers/users.ts', `import { auth } from './auth.ts'`],
    ['server/handlers/users.ts', `import Router from '@koa/router'`],
    ['server/handlers/users.ts', `import { sql } from 'kysely'`],
    ['server/handlers/users.ts', `import { createDeps } from '../deps.ts'`],
    ['server/http/mount.ts', `import { sql } from 'kysely'`],
    ['server/http/mount.ts', `import initSqlJs from 'sql.js'`],
    ['server/http/mount.ts', `import { users } from '../handlers/users.ts'`],
    ['server/app.ts', `import pg from 'pg'`],
    ['server/storage/users.ts', `import Koa from 'koa'`],
    ['server/storage/sqljs/engine.ts', `import { users } from '../../handlers/users.ts'`],
    ['server/storage/sqljs/engine.ts', `import { policy } from '../../domain/policy.ts'`],
    ['server/storage/users.ts', `import { schema } from '../../api/users.ts'`],
    ['electron/main.ts', `import { createApp } from 'vue'`],
    ['electron/main.ts', `import { createApp } from '../server/app.ts'`],
    ['electron/window.ts', `import '../renderer/main.ts'`],
    ['electron/window.ts', `import { BrowserWindow } from 'electron'`],
    ['electron/server-process.ts', `import { start } from '../server/start.ts'`],
    ['electron/preload.ts', `import { desktop } from '../api/desktop.ts'`],
    ['renderer/main.ts', `import 'node:path'`],
    ['renderer/main.ts', `import { ipcRenderer } from 'electron'`],
    ['renderer/pages/users.ts', `import { start } from '../../server/start.ts'`],
    ['renderer/pages/Users.vue', `import { start } from '../../server/start.ts'`],
    ['renderer/pages/Users.vue', `import type { Deps } from '../../server/deps.ts'`],
  ])('%s: %s', async (filePath, code) => {
    expect(await rulesBroken(filePath, code)).toContain('latchkey/walls')
  })
})

describe('a wall has its doors', () => {
  test.each([
    ['api/users.ts', `import { z } from 'zod'\nimport { shape } from './schemas.ts'\nexport const all = [z, shape]`],
    ['api/client.ts', `import type { AxiosInstance } from 'axios'\nexport type Transport = AxiosInstance`],
    ['server/start.ts', `import { readFileSync } from 'node:fs'\nexport { readFileSync }`],
    ['server/domain/sessions.ts', `import { createHash } from 'node:crypto'\nexport { createHash }`],
    ['server/domain/sessions.ts', `import type { Storage } from '../storage/port.ts'\nexport type Port = Storage`],
    ['server/domain/policy/rules.ts', `export { users } from '../../../api/users.ts'`],
    ['server/handlers/users.ts', `import type { Deps } from '../deps.ts'\nexport type Needs = Deps`],
    ['server/handlers/users.ts', `export { mayRename } from '../domain/policy.ts'`],
    ['server/handlers/index.ts', `export { users } from './users.ts'`],
    [
      'server/http/mount.ts',
      `export { default as Router } from '@koa/router'\nexport { handlers } from '../handlers/index.ts'`,
    ],
    ['server/app.ts', `export { mount } from './http/mount.ts'\nexport { endpoints } from '../api/index.ts'`],
    [
      'server/storage/sqljs/engine.ts',
      `import { sql } from 'kysely'\nexport { users } from '../users.ts'\nexport { sql }`,
    ],
    ['server/storage/users.ts', `import type { User } from '../../api/users.ts'\nexport type Row = User`],
    ['electron/main.ts', `export { app } from 'electron'\nexport { problemOf } from '../server/embedded.ts'`],
    ['electron/window.ts', `import type { BrowserWindow } from 'electron'\nexport type Window = BrowserWindow`],
    [
      'renderer/main.ts',
      `import { createApp } from 'vue'\nexport { createClient } from '../api/client.ts'\nexport { createApp }`,
    ],
    [
      'renderer/pages/Users.vue',
      `import { ref } from 'vue'\nimport { mdiKey } from '@mdi/js'\nconst key = ref(mdiKey)\nkey.value = ''`,
    ],
    ['test/server/users.test.ts', `import { createApp } from '../../server/app.ts'\nexport { createApp }`],
  ])('%s: %s', async (filePath, code) => {
    expect(await rulesBroken(filePath, code)).toEqual([])
  })
})

describe('the habits that lint keeps', () => {
  test.each([
    ['server/domain/sessions.ts', 'export const now = Date.now()', 'no-restricted-properties'],
    ['server/handlers/users.ts', 'export const now = new Date()', 'no-restricted-syntax'],
    [
      'server/domain/sessions.ts',
      `export { randomUUID } from './ids.ts'\nexport const luck = Math.random()`,
      'no-restricted-properties',
    ],
    [
      'server/domain/sessions.ts',
      `import { randomBytes } from 'node:crypto'\nexport { randomBytes }`,
      'no-restricted-syntax',
    ],
    ['server/start.ts', 'export const port = process.env.PORT', 'no-restricted-properties'],
    ['renderer/main.ts', `console.log('here')`, 'no-console'],
    ['server/start.ts', 'export const loose: any = 1', '@typescript-eslint/no-explicit-any'],
    [
      'server/start.ts',
      'export const sure = JSON.parse("1") as number',
      '@typescript-eslint/consistent-type-assertions',
    ],
    ['server/start.ts', 'export default 1', 'no-restricted-exports'],
  ])('%s: %s', async (filePath, code, rule) => {
    expect(await rulesBroken(filePath, code)).toEqual([rule])
  })

  test('v-html is refused in a page', async () => {
    const page =
      '<script setup lang="ts">\nconst text = ""\n</script>\n\n<template>\n  <div v-html="text" />\n</template>\n'
    const [result] = await eslint.lintText(page, { filePath: 'renderer/pages/Users.vue' })
    expect(result?.messages.map(({ ruleId }) => ruleId)).toEqual(['vue/no-v-html'])
  })

  test.each([
    ['server/config.ts', 'export const port = process.env.PORT'],
    ['server/log.ts', `console.log('here')`],
    ['server/start.ts', 'export const names = ["a"] as const'],
    ['server/domain/sessions.ts', 'export const at = (now: number) => new Date(now)'],
    ['server/http/mount.ts', 'export const sure = JSON.parse("1") as number'],
  ])('%s may: %s', async (filePath, code) => {
    expect(await rulesBroken(filePath, code)).toEqual([])
  })
})
