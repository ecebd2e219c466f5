import { expect, test } from 'vitest'
import { readSettings, settingCalls } from '../../api/settings.ts'
import { durationText, lifeText, unitOf } from '../../renderer/durations.ts'
import {
  DEFAULT_SETTINGS,
  LIFE_BOUNDS,
  MFA_DEMANDS,
  MOST_LIVES,
  MOST_NETWORKS,
  MOST_ORIGINS,
  orderedLives,
  readNetworks,
  readOrigins,
  SETTING_BOUNDS,
} from '../../renderer/setting-rules.ts'

const takes = (body: unknown) => settingCalls.change.body.safeParse(body).success

test('what the page knows of the settings is what the interface says', () => {
  expect(DEFAULT_SETTINGS).toEqual(readSettings({}))
  for (const [name, [min, max]] of Object.entries(SETTING_BOUNDS)) {
    expect(
      [min - 1, min, max, max + 1].map((value) => takes({ [name]: value })),
      name,
    ).toEqual([false, true, true, false])
  }
  for (const mfa_demand of MFA_DEMANDS) expect(takes({ mfa_demand })).toBe(true)
  const [shortest, longest] = LIFE_BOUNDS
  expect(
    [shortest - 1, shortest, longest, longest + 1, -1].map((hours) => takes({ temp_password_default: hours })),
  ).toEqual([false, true, true, false, true])
  const many = (length: number) => Array.from({ length }, (_, n) => n + 1)
  expect([MOST_LIVES, MOST_LIVES + 1].map((n) => takes({ temp_password_presets: many(n) }))).toEqual([true, false])
  const origins = (length: number) => many(length).map((n) => `https://h${n}.example.org`)
  expect([MOST_ORIGINS, MOST_ORIGINS + 1].map((n) => takes({ redirect_origins: origins(n) }))).toEqual([true, false])
  const networks = (length: number) => many(length).map((n) => `10.0.0.${n}`)
  expect([MOST_NETWORKS, MOST_NETWORKS + 1].map((n) => takes({ admin_networks: networks(n) }))).toEqual([true, false])
})

test('lives are ordered as they are read', () => {
  expect(orderedLives([-1, 168, 1, 24, 1])).toEqual([1, 24, 168, -1])
})

test.each([
  ['en', ['1 hour', '24 hours', '36 hours', '2 days', '7 days', '365 days']],
  ['de', ['1 Stunde', '24 Stunden', '36 Stunden', '2 Tage', '7 Tage', '365 Tage']],
  ['ru', ['1 час', '24 часа', '36 часов', '2 дня', '7 дней', '365 дней']],
  ['zh-CN', ['1小时', '24小时', '36小时', '2天', '7天', '365天']],
])('lives of temporary passwords in %s', (locale, texts) => {
  expect([1, 24, 36, 48, 168, 8760].map((hours) => lifeText(hours, locale))).toEqual(texts)
})

test('lengths of time are told in the largest unit that fits', () => {
  expect([60, 5400, 7200, 86_400, 90_000].map((seconds) => durationText(seconds, 'en'))).toEqual([
    '1 minute',
    '90 minutes',
    '2 hours',
    '1 day',
    '25 hours',
  ])
  expect(unitOf(0)).toBe('days')
})

test('origins are read line by line, without what does not matter', () => {
  expect(readOrigins(' https://Wiki.example.org/\n\nhttp://10.0.0.7:8080\nhttps://wiki.example.org')).toEqual({
    origins: ['https://wiki.example.org', 'http://10.0.0.7:8080'],
    faulty: undefined,
  })
  for (const line of ['wiki.example.org', 'https://a.example/path', 'https://u:p@a.example', 'ftp://a.example', '*']) {
    expect(readOrigins(`https://ok.example\n${line}`).faulty, line).toBe(line)
  }
  for (const origin of readOrigins('https://Wiki.example.org:443\nhttp://[::1]:80').origins) {
    expect(takes({ redirect_origins: [origin] }), origin).toBe(true)
  }
})

test('networks are read line by line, in their one spelling', () => {
  expect(readNetworks(' 192.168.1.7/24\n\n192.168.1.0/24\nFD00::/8 ')).toEqual({
    networks: ['192.168.1.0/24', 'fd00::/8'],
    faulty: undefined,
  })
  expect(readNetworks('10.0.0.1\n10.0.0.0/40\nhome')).toEqual({ networks: ['10.0.0.1'], faulty: '10.0.0.0/40' })
})
