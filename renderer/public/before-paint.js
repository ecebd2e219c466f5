/* Runs before the first paint, so that a chosen appearance or language never flashes. Kept apart because the page allows no inline script. */
;(function () {
  const root = document.documentElement
  try {
    const theme = localStorage.getItem('latchkey.theme')
    const language = localStorage.getItem('latchkey.language')
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
    if (language) root.lang = language
  } catch {
    /* storage may be forbidden: the system's choice stands */
  }
})()
