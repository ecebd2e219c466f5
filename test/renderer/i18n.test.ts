import { expect, test } from 'vitest'
import { de } from '../../renderer/i18n/de.ts'
import { en } from '../../renderer/i18n/en.ts'
import { ru } from '../../renderer/i18n/ru.ts'
import { zhCN } from '../../renderer/i18n/zh-CN.ts'
import { i18n, matchLanguage } from '../../renderer/i18n/index.ts'

const master = flat(en)

test.each([
  ['de', de],
  ['ru', ru],
  ['zh-CN', zhCN],
] as const)('%s has every text of the master, with the same blanks to fill', (_language, texts) => {
  const own = flat(texts)
  expect(Object.keys(own)).toEqual(Object.keys(master))
  for (const [key, text] of Object.entries(own)) {
    expect(text.trim(), key).not.toBe('')
    expect(blanks(text), key).toEqual(blanks(master[key] ?? ''))
  }
})

test.each([
  ['en', en],
  ['de', de],
] as const)('%s never writes just "token"', (language, texts) => {
  for (const text of Object.values(flat(texts))) {
    for (const [word] of text.matchAll(/[\p{L}-]*\s?tokens?\b/giu)) {
      expect(word, text).toMatch(
        language === 'de'
          ? /^\s?(start|anmelde|einrichtungs|entwickler)token/i
          : /^(startup|login|setup|developer) token/i,
      )
    }
  }
})

test('the keys of the published interfaces are kept', () => {
  expect(Object.keys(master)).toEqual(
    expect.arrayContaining(['login.passwordChangeRequired', 'login.tempPasswordExpired']),
  )
  expect(Object.keys(en)).toEqual(expect.arrayContaining(['tempPassword', 'temporaryToken']))
})

test('Russian counts in its three forms', () => {
  i18n.global.setLocaleMessage('ru', ru)
  const say = (n: number) => i18n.global.t('users.total', { n }, { plural: n, locale: 'ru' })
  expect([0, 1, 2, 5, 11, 21, 22].map(say)).toEqual([
    'Никого не найдено',
    '1 пользователь',
    '2 пользователя',
    '5 пользователей',
    '11 пользователей',
    '21 пользователь',
    '22 пользователя',
  ])
})

test.each([
  [['de-AT', 'en'], 'de'],
  [['fr', 'ru-RU'], 'ru'],
  [['zh-TW'], 'zh-CN'],
  [['fr'], 'en'],
  [[], 'en'],
] as const)('a browser that wishes %j gets %s', (wishes, language) => {
  expect(matchLanguage(wishes)).toBe(language)
})

function flat(texts: object, path = ''): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value === 'string') result[path + key] = value
    else Object.assign(result, flat(value, `${path}${key}.`))
  }
  return result
}

function blanks(text: string): string[] {
  return [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()
}
