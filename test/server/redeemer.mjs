// One of several programs that redeem the same login token: `node redeemer.mjs URL TIMES`. Prints `ready`, waits for the
// token on standard input, sends all its tries at once, and prints how often each answer came.
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const [url = '', times] = process.argv.slice(2)

/** @param {string} login_token */
async function redeem(login_token) {
  const answer = await fetch(`${url}/api/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: url },
    body: JSON.stringify({ login_type: 'login_token', login_token }),
  })
  const { error = 'ok' } = await answer.json()
  return `${answer.status} ${error}`
}

console.log('ready')
const [token] = await once(createInterface(process.stdin), 'line')
const answers = await Promise.all(Array.from({ length: Number(times) }, () => redeem(token)))
console.log(JSON.stringify(answers))
process.exit(0)
