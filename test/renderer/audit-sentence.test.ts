import { describe, expect, test } from 'vitest'
import { AUDIT_EVENTS } from '../../api/audit.ts'
import { EVENT_GROUPS, GROUPS, isAuditEvent } from '../../renderer/audit-events.ts'
import { OWN_EVENTS, sentenceOf } from '../../renderer/audit-sentence.ts'
import type { Translate } from '../../renderer/composables/use-text.ts'
import { de } from '../../renderer/i18n/de.ts'
import { en } from '../../renderer/i18n/en.ts'
import { i18n, LANGUAGES } from '../../renderer/i18n/index.ts'
import { ru } from '../../renderer/i18n/ru.ts'
import { zhCN } from '../../renderer/i18n/zh-CN.ts'

const TEXTS = { en, de, ru, 'zh-CN': zhCN }

function speak(language: keyof typeof TEXTS): void {
  i18n.global.setLocaleMessage(language, TEXTS[language])
  i18n.global.locale.value = language
}

const t: Translate = (key, named = {}) => i18n.global.t(key, named)
const ann = { actor_id: 1, actor: 'ann' }
const luis = { target_id: 2, target: 'luis' }
const nobody = { actor_id: null, actor: null, target_id: null, target: null }
const said = (entry: Parameters<typeof sentenceOf>[0]) =>
  sentenceOf(entry, t)
    .map(({ text }) => text)
    .join('')

test('every event of the interface stands in one group of the filter', () => {
  expect(GROUPS.flatMap((group) => [...EVENT_GROUPS[group]]).toSorted()).toEqual([...AUDIT_EVENTS].toSorted())
  expect(Object.keys(EVENT_GROUPS)).toEqual([...GROUPS])
  expect(isAuditEvent('sign_in')).toBe(true)
  expect(isAuditEvent('toString')).toBe(false)
})

describe.each(LANGUAGES)('in %s', (language) => {
  test('every event has a name and a sentence of its own', () => {
    speak(language)
    for (const event of AUDIT_EVENTS) {
      const sentence = said({ event, ...ann, ...luis })
      for (const text of [t(`audit.events.${event}`), sentence, said({ event, ...nobody })]) {
        expect(text, event).not.toContain('audit.')
        // They stand for the names and must be replaced.
        expect(text, event).not.toMatch(/[\u0000-\u001f]/)
      }
    }
    expect(new Set(AUDIT_EVENTS.map((event) => said({ event, ...ann, ...luis }))).size).toBe(AUDIT_EVENTS.length)
  })

  test('what somebody does to himself reads differently from what he does to others', () => {
    speak(language)
    for (const event of OWN_EVENTS) {
      const own = said({ event, ...ann, target_id: 1, target: 'ann' })
      expect(own).not.toBe(said({ event, ...ann, ...luis }))
      expect(own.split('ann')).toHaveLength(2)
    }
  })
})

test('names stand out, whoever is not known is left out, and an event of another release shows its name', () => {
  speak('en')
  expect(sentenceOf({ event: 'password_reset', ...ann, ...luis }, t)).toEqual([
    { text: 'ann', person: true },
    { text: ' reset the password of ', person: false },
    { text: 'luis', person: true },
  ])
  expect(said({ event: 'sign_in_refused', ...nobody })).toBe('Sign-in refused')
  expect(said({ event: 'sign_in_refused', ...nobody, ...luis })).toBe('A sign-in as luis was refused')
  expect(said({ event: 'sign_in', ...nobody, actor_id: 7 })).toBe('#7 signed in')
  expect(said({ event: 'quantum_teleported', ...ann, ...luis })).toBe('quantum_teleported')
  // A name is never taken for a part of the text.
  expect(said({ event: 'sign_in', ...nobody, actor_id: 7, actor: '{target} | x' })).toBe('{target} | x signed in')
})
