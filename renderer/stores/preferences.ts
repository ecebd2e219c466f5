import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { Language } from '../../api/schemas.ts'
import { speak } from '../api.ts'
import { desktopApp } from '../desktop.ts'
import { isLanguage, loadLanguage, matchLanguage } from '../i18n/index.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type ThemeChoice = (typeof THEMES)[number]

const THEME_KEY = 'latchkey.theme'
const LANGUAGE_KEY = 'latchkey.language'

/** Appearance and language of this browser; beside the handles that were used, all that is kept in localStorage. */
export const usePreferences = defineStore('preferences', () => {
  const theme = ref<ThemeChoice>('system')
  const language = ref<Language>('en')
  /** Whether somebody chose the language here; until then an account's own language may come in. */
  const languageChosen = ref(false)

  async function hydrate(): Promise<void> {
    const savedTheme = read(THEME_KEY)
    theme.value = THEMES.find((name) => name === savedTheme) ?? 'system'
    const savedLanguage = read(LANGUAGE_KEY)
    languageChosen.value = isLanguage(savedLanguage)
    await show(isLanguage(savedLanguage) ? savedLanguage : matchLanguage(navigator.languages))
  }

  async function show(wanted: Language): Promise<void> {
    await loadLanguage(wanted)
    language.value = wanted
    speak(wanted)
    void desktopApp()
      ?.speak(wanted)
      .catch(() => {})
  }

  async function chooseLanguage(wanted: Language): Promise<void> {
    await show(wanted)
    languageChosen.value = true
    write(LANGUAGE_KEY, wanted)
  }

  /** The language of the account that signed in, unless this browser has a choice of its own. */
  async function adoptLanguage(wanted: Language | null): Promise<void> {
    if (wanted && !languageChosen.value && wanted !== language.value) await show(wanted)
  }

  function chooseTheme(wanted: ThemeChoice): void {
    theme.value = wanted
    write(THEME_KEY, wanted)
    if (wanted === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = wanted
  }

  return { theme, language, hydrate, chooseLanguage, adoptLanguage, chooseTheme }
})

function read(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // storage may be forbidden: the choice then lasts until the page is closed
  }
}
