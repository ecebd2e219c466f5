let carried = ''

/** Takes the setup token out of the address: it was never sent, and now it stands in no history either. */
export function takeSetupToken(): string {
  if (location.pathname === '/setup' && location.hash.length > 1) {
    carried = location.hash.slice(1)
    history.replaceState(history.state, '', location.pathname + location.search)
  }
  return carried
}
