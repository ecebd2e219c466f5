import { type FunctionalComponent, h } from 'vue'
import { createVuetify } from 'vuetify'
import { mdi } from 'vuetify/iconsets/mdi-svg'
import {
  mdiAlertCircle,
  mdiCheckboxBlankOutline,
  mdiCheckboxMarked,
  mdiCheckCircle,
  mdiChevronDown,
  mdiClose,
  mdiInformation,
  mdiMenu,
  mdiMinusBox,
  mdiRadioboxBlank,
  mdiRadioboxMarked,
} from '@mdi/js'

const shared = {
  'border-opacity': 0.14,
  'high-emphasis-opacity': 1,
  'medium-emphasis-opacity': 0.78,
  'disabled-opacity': 0.5,
}

/** Deep teal and ink with a warm accent; every pair of text and ground reaches WCAG AA. */
const light = {
  dark: false,
  colors: {
    background: '#f4f1ec',
    surface: '#fffdfa',
    'surface-bright': '#ffffff',
    'surface-light': '#ebe6de',
    'surface-variant': '#e2ded6',
    'on-surface-variant': '#3b4648',
    primary: '#0d5257',
    'on-primary': '#ffffff',
    secondary: '#8a4b12',
    'on-secondary': '#ffffff',
    error: '#a5261d',
    'on-error': '#ffffff',
    warning: '#8a4b12',
    'on-warning': '#ffffff',
    success: '#1d6141',
    'on-success': '#ffffff',
    info: '#215a86',
    'on-info': '#ffffff',
    'on-background': '#17252a',
    'on-surface': '#17252a',
  },
  variables: { ...shared, 'border-color': '#17252a' },
}

const dark = {
  dark: true,
  colors: {
    background: '#10191c',
    surface: '#182428',
    'surface-bright': '#233237',
    'surface-light': '#2a3a3f',
    'surface-variant': '#33454a',
    'on-surface-variant': '#cfdcdc',
    primary: '#7fc8c4',
    'on-primary': '#06292b',
    secondary: '#eab27a',
    'on-secondary': '#3a1f05',
    error: '#ffb1a6',
    'on-error': '#4a0b06',
    warning: '#eab27a',
    'on-warning': '#3a1f05',
    success: '#92d6b0',
    'on-success': '#06301b',
    info: '#9ccaf0',
    'on-info': '#06243d',
    'on-background': '#e6eceb',
    'on-surface': '#e6eceb',
  },
  variables: { ...shared, 'border-color': '#dbe8e7' },
}

/** What turns in a button that is busy is for the eye alone: the kit calls it a progress bar, and gives it no name. */
const Spinner: FunctionalComponent<Record<string, unknown>> = ({ class: names, style }, { slots }) =>
  h('div', { class: names, style, 'aria-hidden': 'true' }, slots['default']?.())
Spinner.inheritAttrs = false

export function createKit(theme: 'system' | 'light' | 'dark') {
  return createVuetify({
    theme: { defaultTheme: theme, themes: { light, dark }, variations: false },
    icons: {
      defaultSet: 'mdi',
      sets: { mdi },
      aliases: {
        close: mdiClose,
        clear: mdiClose,
        error: mdiAlertCircle,
        warning: mdiAlertCircle,
        info: mdiInformation,
        success: mdiCheckCircle,
        menu: mdiMenu,
        dropdown: mdiChevronDown,
        checkboxOn: mdiCheckboxMarked,
        checkboxOff: mdiCheckboxBlankOutline,
        checkboxIndeterminate: mdiMinusBox,
        radioOn: mdiRadioboxMarked,
        radioOff: mdiRadioboxBlank,
      },
    },
    defaults: {
      VTextField: { variant: 'outlined', color: 'primary', density: 'comfortable', hideDetails: 'auto' },
      VSelect: { variant: 'outlined', color: 'primary', density: 'comfortable', hideDetails: 'auto' },
      VAutocomplete: { variant: 'outlined', color: 'primary', density: 'comfortable', hideDetails: 'auto' },
      VTextarea: { variant: 'outlined', color: 'primary', density: 'comfortable', hideDetails: 'auto' },
      VRadioGroup: { color: 'primary', density: 'comfortable', hideDetails: 'auto' },
      VCheckbox: { color: 'primary', density: 'comfortable', hideDetails: 'auto' },
      VProgressCircular: { tag: Spinner },
      VDialog: { maxWidth: 480, scrollable: true },
    },
  })
}
