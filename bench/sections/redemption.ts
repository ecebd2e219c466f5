import { randomBytes } from 'node:crypto'
import { Kysely } from 'kysely'
import { v7 } from 'uuid'
import { createAttempts } from '../../server/domain/attempts.ts'
import { createAudit } from '../../server/domain/audit.ts'
import { createChanges } from '../../server/domain/changes.ts'
import { createMemorySecret } from '../../server/domain/memory-secret.ts'
import { createSecret, hashSecret } from '../../server/domain/one-time-secret.ts'
import { createPasswordHasher } from '../../server/domain/password-hashing.ts'
import { createSessionTokens } from '../../server/domain/session-token.ts'
import { createSessions } from '../../server/domain/sessions.ts'
import { createLiveSettings } from '../../server/domain/settings.ts'
import { createSignIn } from '../../server/domain/sign-in.ts'
import { createSecondFactor } from '../../server/domain/totp.ts'
import { createVault } from '../../server/domain/vault.ts'
import { openKeyring } from '../../server/keyring.ts'
import { openStorage } from '../../server/storage/open.ts'
import { openSqljs } from '../../server/storage/sqljs/open.ts'
import type { Tables } from '../../server/storage/tables.ts'
import { startLatchkey } from '../child.ts'
import type { Bench, Figure, Section } from '../figure.ts'
import { expectNoRefusal, load, openConnections, requestOf } from '../load.ts'
import { copyOf, seeded } from '../seed.ts'
import { median } from '../statistics.ts'
import { manyWriters, openOurs } from './commit.ts'

const USERS = 10_000
const AT_ONCE = 64
const ROUNDS = 5
const DAY = 86_400_000
const SOURCE = { ip: '192.0.2.7', user_agent: 'bench', request_id: null }

export const redemption: Section = {
  name: 'redemption',
  title: 'Redemptions of login tokens',
  async run(bench) {
    const commits: number[] = []
    const direct: number[] = []
    const served: number[] = []
    for (let round = 0; round < bench.rounds(ROUNDS); round++) {
      commits.push(await commitRate(bench))
      direct.push(await directRate(bench))
      served.push(await servedRate(bench))
    }
    const shares = direct.map((rate, round) => rate / (commits[round] ?? NaN))
    const servedShares = served.map((rate, round) => rate / (commits[round] ?? NaN))
    return [
      { what: 'commits of one update, 64 writers', value: median(commits), unit: '/s' },
      {
        what: 'redemptions in one process, 64 at once',
        value: median(direct),
        unit: '/s',
        note: 'the sign-in itself: token used, session begun and sign-in noted in one durable transaction, then the audit entries of both events, durable too; no HTTP',
      },
      { what: 'redemptions in one process over commits', value: median(shares), unit: '×', bar: { atLeast: 0.5 } },
      {
        what: 'redemptions over HTTP, 64 connections',
        value: median(served),
        unit: '/s',
        note: 'server and load program share the machine: this is the rate of its HTTP, not of its commits',
      },
      { what: 'redemptions over HTTP over commits', value: median(servedShares), unit: '×' },
    ]
  },
}

async function commitRate(bench: Bench): Promise<number> {
  const ours = await openOurs(bench, await seeded(bench, USERS))
  try {
    const figures: Figure[] = await manyWriters(bench, ours)
    return figures.find(({ unit }) => unit === '/s')?.value ?? NaN
  } finally {
    await ours.database.close()
  }
}

/** Redeems without a server: the rules and the storage as the server has them. */
async function directRate(bench: Bench): Promise<number> {
  const { directory, secrets } = await withTokens(bench)
  const storage = await openStorage({ directory, log: () => {} })
  const { signIn, audit } = await createRules(directory, storage)
  const redeemFor = async (milliseconds: number) => {
    const started = performance.now()
    let redeemed = 0
    const redeem = async () => {
      while (performance.now() < started + milliseconds) {
        const written: Promise<void>[] = []
        const result = await signIn.withLoginToken(
          { login_token: secrets.pop() ?? '' },
          {
            from: { ip: '192.0.2.7', user_agent: 'bench', loopback: false, at_machine: false },
            record: (event) => void written.push(audit.append(event, SOURCE)),
            current: undefined,
          },
        )
        await Promise.all(written)
        if (typeof result === 'string') throw new Error(`A login token was refused: ${result}`)
        redeemed += 1
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, redeem))
    return (redeemed * 1000) / (performance.now() - started)
  }
  await redeemFor(1_000) // warms up
  const rate = await redeemFor(bench.quick ? 1_000 : 3_000)
  await storage.close()
  return rate
}

async function servedRate(bench: Bench): Promise<number> {
  const { directory, secrets } = await withTokens(bench)
  const child = await startLatchkey(directory)
  const next = () => {
    const body = JSON.stringify({ login_type: 'login_token', login_token: secrets.pop() })
    return requestOf(child.url, { method: 'POST', path: '/api/auth/login', body })
  }
  const connections = await openConnections(child, AT_ONCE)
  await load(connections, next, 1_000) // warms up
  const loaded = await load(connections, next, bench.quick ? 1_000 : 3_000)
  for (const connection of connections) connection.close()
  await child.stop()
  expectNoRefusal('redemption', loaded)
  return loaded.answered / loaded.seconds
}

/** A data directory with more active login tokens than a stretch of load uses, some for each user. */
async function withTokens(bench: Bench): Promise<{ directory: string; secrets: string[] }> {
  const directory = copyOf(bench, await seeded(bench, USERS))
  const database = await openSqljs({ directory, checkpointBytes: Infinity })
  const db = new Kysely<Tables>({ dialect: database.dialect })
  const secrets: string[] = []
  const now = Date.now()
  for (let piece = 0; piece < (bench.quick ? 60 : 160); piece++) {
    const rows = Array.from({ length: 250 }, (_, index) => {
      const secret = createSecret(randomBytes)
      secrets.push(secret)
      return {
        uuid: v7(),
        secret_hash: hashSecret(secret),
        user_id: 1,
        login_user_id: 2 + ((piece * 250 + index) % (USERS - 1)),
        reason: null,
        redirect_to: null,
        created_at: now,
        expires_at: now + DAY,
        used_at: null,
        used_ip: null,
        deleted_at: null,
      }
    })
    await db.insertInto('login_tokens').values(rows).execute()
  }
  await database.checkpoint()
  await database.close()
  return { directory, secrets }
}

async function createRules(directory: string, storage: Awaited<ReturnType<typeof openStorage>>) {
  const keyring = await openKeyring(directory, randomBytes, false)
  const clock = () => Date.now()
  const random = (bytes: number) => randomBytes(bytes)
  const settings = (await createLiveSettings(storage)).current
  const sessions = createSessions({ storage, tokens: createSessionTokens(keyring.signing), clock, random, settings })
  const signIn = createSignIn({
    storage,
    sessions,
    attempts: createAttempts({ storage, clock, settings }),
    passwords: await createPasswordHasher({ pepper: keyring.pepper, parallel: 1, waiting: 1, random }),
    secondFactor: createSecondFactor({ storage, vault: createVault(keyring.vault, random), clock, random }),
    startupToken: createMemorySecret(random, clock),
    clock,
    random,
    settings,
  })
  return { signIn, audit: createAudit({ storage, changes: createChanges(), clock }) }
}
