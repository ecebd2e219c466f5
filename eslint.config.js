// The habits of the house as rules. What a folder may import is in scripts/lint/walls.mjs.
import { defineConfig } from 'eslint/config'
import { builtinRules } from 'eslint/use-at-your-own-risk'
import vue from 'eslint-plugin-vue'
import accessibility from 'eslint-plugin-vuejs-accessibility'
import tseslint from 'typescript-eslint'
import { wallsRule } from './scripts/lint/walls-rule.mjs'

const source = ['api/**/*.ts', 'server/**/*.ts', 'electron/**/*.ts', 'renderer/**/*.{ts,vue}']
const typescript = ['**/*.{ts,vue}']
const typeAware = ['{api,server,electron,renderer,test,bench}/**/*.ts']

const latchkey = { rules: { walls: wallsRule, 'look-hard-at-length': builtinRules.get('max-lines') } }

const lines = (max) => ({ max, skipBlankLines: true, skipComments: true })

const settingsFromOutside = {
  object: 'process',
  property: 'env',
  message: 'Settings come in through server/config.ts (or electron/main.ts).',
}

const clockAndChance = 'Time, ids and chance come in through deps, so that tests can hold them still.'
const impure = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['performance', 'now'],
  ...['randomUUID', 'randomBytes', 'randomInt', 'getRandomValues', 'randomFillSync'].map((name) => ['crypto', name]),
].map(([object, property]) => ({ object, property, message: clockAndChance }))

export default defineConfig(
  {
    ignores: [
      'dist/',
      'release/',
      'coverage/',
      '.setup/',
      '.toolchain/',
      'bench/peers/',
      'test/atproto/peers/',
      '**/fixtures/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    files: ['**/*.{js,mjs,ts,vue}'],
    plugins: { latchkey },
    rules: {
      'latchkey/walls': 'error',
      'latchkey/look-hard-at-length': ['warn', lines(250)],
      'max-lines': ['error', lines(400)],
      'max-depth': ['error', 3],
      eqeqeq: 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      'no-var': 'error',
      'no-else-return': 'error',
      'no-unused-vars': 'off',
    },
  },

  {
    files: typescript,
    extends: [tseslint.configs.recommended, vue.configs['flat/recommended'], accessibility.configs['flat/recommended']],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': 'off', // the compiler and knip find them
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      'no-undef': 'off', // the compiler's business
      // Prettier lays out templates.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/first-attribute-linebreak': 'off',
      // Vuetify's slots are named like `item.name`.
      'vue/valid-v-slot': ['error', { allowModifiers: true }],
      'vue/multi-word-component-names': 'off',
      'vue/no-v-html': 'error',
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      // The page's one autofocus is the first field of a sign-in step, where a person expects to be.
      'vuejs-accessibility/no-autofocus': 'off',
      'vuejs-accessibility/label-has-for': ['error', { required: { some: ['nesting', 'id'] } }],
    },
  },

  {
    files: typeAware,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },

  {
    files: source,
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', settingsFromOutside],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
    },
  },

  {
    files: ['server/domain/**/*.ts', 'server/handlers/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', settingsFromOutside, ...impure],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: clockAndChance },
        { selector: 'CallExpression[callee.name="Date"]', message: clockAndChance },
        {
          selector: 'ImportSpecifier[imported.name=/^random(UUID|Bytes|Int|Fill|FillSync)$/]',
          message: clockAndChance,
        },
      ],
    },
  },

  // The exceptions, each with its reason.
  {
    // Texts are data: one line each, as many as there are.
    files: ['api/texts/**', 'renderer/i18n/**', 'electron/texts.ts'],
    rules: { 'max-lines': 'off', 'latchkey/look-hard-at-length': 'off' },
  },
  { files: ['server/config.ts', 'electron/main.ts'], rules: { 'no-restricted-properties': 'off' } },
  { files: ['server/log.ts', 'server/cli/output.ts'], rules: { 'no-console': 'off' } },
  {
    // The walkers of the table, and the border to sql.js, whose types say less than we know.
    files: [
      'api/client.ts',
      'api/endpoint.ts',
      'server/http/mount.ts',
      'server/http/answer.ts',
      'server/storage/sqljs/**/*.ts',
    ],
    rules: { '@typescript-eslint/consistent-type-assertions': 'off' },
  },
)
