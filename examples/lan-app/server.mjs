// An application on the LAN that signs a person in to Latchkey: it makes a login token for him and sends his browser
// through it and back. Node.js 20 or newer, no dependencies; docs/login-tokens.md explains it.
import { createServer } from 'node:http'

const {
  LATCHKEY_URL = 'http://127.0.0.1:8787',
  LATCHKEY_USER,
  LATCHKEY_PASSWORD,
  LOGIN_USER_ID,
  PORT = '3000',
} = process.env
let bearer = ''

async function post(path, body) {
  const headers = { 'Content-Type': 'application/json', ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}) }
  const response = await fetch(`${LATCHKEY_URL}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return response.json()
}

// Sent with the session before, if any, which ends thereby.
async function signIn() {
  const { data, error } = await post('/api/auth/login', { username: LATCHKEY_USER, password: LATCHKEY_PASSWORD })
  if (error) throw new Error(`Latchkey refuses the application's own sign-in: ${error}`)
  bearer = data.token
}

async function makeLoginUrl(redirect_to) {
  const wanted = { login_user_id: Number(LOGIN_USER_ID), expires_in: 60, reason: 'LAN application', redirect_to }
  const mint = () => post('/api/administration/users/login-tokens', wanted)
  if (!bearer) await signIn()
  let answer = await mint()
  // A session makes login tokens for 15 minutes after its sign-in; then the application signs in again.
  if (['REAUTH_REQUIRED', 'SESSION_EXPIRED', 'UNAUTHENTICATED'].includes(answer.error))
    answer = await signIn().then(mint)
  if (answer.error) throw new Error(`Latchkey makes no login token: ${answer.error}`)
  return answer.data.login_url
}

const pages = { '/': '<a href="/go">Sign in</a>', '/back': 'Welcome back!' }

createServer(async ({ url = '/', headers }, response) => {
  const answer = (status, more, text = '') =>
    response.writeHead(status, { 'Cache-Control': 'no-store', ...more }).end(text)
  if (url in pages) return answer(200, { 'Content-Type': 'text/html' }, pages[url])
  if (url !== '/go') return answer(404, {}, 'Not found')
  try {
    // Latchkey sends nobody to an origin that is not on its list, whatever `Host` says.
    answer(303, { Location: await makeLoginUrl(`http://${headers.host}/back`), 'Referrer-Policy': 'no-referrer' })
  } catch (error) {
    console.error(error.message)
    answer(502, {}, 'Signing in does not work at the moment.')
  }
}).listen(Number(PORT), '127.0.0.1', function () {
  console.log(`Listening on http://127.0.0.1:${this.address().port}`)
})
