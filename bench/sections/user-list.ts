import { encodeCursor } from '../../server/domain/cursor.ts'
import type { UserQuery, UserRecord } from '../../server/storage/port.ts'
import { searchTextOf } from '../../server/storage/rows.ts'
import { type Child, startLatchkey } from '../child.ts'
import type { Bench, Figure, Section } from '../figure.ts'
import { type Connection, openConnection, requestOf } from '../load.ts'
import { personOf, picker } from '../people.ts'
import { seedPostgres, startPostgres } from '../postgres.ts'
import { copyOf, type RowMaker, type Seeded, seededWith } from '../seed.ts'
import { median, percentile } from '../statistics.ts'

const EMBEDDED = 100_000
const POSTGRES = 1_000_000
const POSTGRES_QUICK = 100_000
const ROUNDS = 40
const LIMIT = 30
const BEGAN = Date.UTC(2025, 0, 1)
/** People came and signed in within it; a random number has 32 bits. */
const SPAN = 40 * 24 * 60 * 60 * 1000

type Query = Partial<Record<'q' | 'state' | 'sort' | 'cursor' | 'limit', string>>
/** Requests of one kind, made in turn. */
interface Kind {
  what: string
  actor: keyof typeof ACTORS
  queries: Query[]
}

/** Users by their numbers: one may see all, one half of them, one a few hundred. */
const ACTORS = { superuser: 0, 'manager of half of them': 1, 'manager of a few': 2 }
const MANAGERS = 1_000

const SORTS = ['username', '-username', 'created_at', '-created_at', 'last_sign_in_at', '-last_sign_in_at'] as const
/** Every length from 1 to 20, Latin, Cyrillic and Chinese, and so frequent that they are in everybody or in nobody. */
const TERMS = [
  ...[
    'e',
    'q',
    'x',
    '@',
    '7',
    '张',
    'ж',
    'an',
    'qu',
    'zz',
    '99',
    '李芳',
    'ян',
    'smi',
    'zoë',
    '王秀英',
    'жан',
    'anna',
    'wolf',
  ],
  ...['анна', '4711', 'smith', 'жанна', 'xantho', 'михайл', 'schmidt', 'example', '.example', 'жанна ив', 'anna.smit'],
  ...['xanthopoul', 'jürgen kr', 'жанна иван', 'anna smith', 'post.example', 'mail.example', 'małgorzata n'],
  ...['anna.smith1', 'людмила попов', 'nobody at all', 'hernandez@work', 'elizabeth gonz', 'ypsilanti.zoe9'],
  ...[
    '@people.example',
    '.social.example',
    'christopher.will',
    'wang412@people.e',
    'patricia rodriguez',
    'no such person here',
  ],
  ...['zzzzzzzzzzzzzzzzzzzz', 'christopher rodrigue'],
]

export const userList: Section = {
  name: 'user-list',
  title: 'GET /api/v2/users',
  async run(bench) {
    const figures = await onEmbedded(bench)
    const server = await startPostgres()
    if (!server) {
      bench.say('  no PostgreSQL here: it is left out')
      return figures
    }
    try {
      return [...figures, ...(await onPostgres(bench, server.url))]
    } finally {
      await server.stop()
    }
  },
}

async function onEmbedded(bench: Bench): Promise<Figure[]> {
  const seed = await seededWith(bench, EMBEDDED, personRow)
  const child = await startLatchkey(copyOf(bench, seed))
  return measure(bench, `sql.js, ${EMBEDDED.toLocaleString('en')} users`, child, seed)
}

async function onPostgres(bench: Bench, url: string): Promise<Figure[]> {
  const users = bench.quick ? POSTGRES_QUICK : POSTGRES
  const seed = await seedPostgres(bench, url, users, personRow)
  const child = await startLatchkey(seed.directory, {}, ['--database', url])
  return measure(bench, `PostgreSQL, ${users.toLocaleString('en')} users`, child, seed)
}

async function measure(bench: Bench, label: string, child: Child, seed: Seeded): Promise<Figure[]> {
  const connection = await openConnection(child)
  try {
    const figures: Figure[] = []
    for (const kind of kindsOf(seed.users))
      figures.push(...(await measureKind(bench, label, kind, connection, child, seed)))
    return figures
  } finally {
    connection.close()
    await child.stop()
  }
}

async function measureKind(
  bench: Bench,
  label: string,
  { what, actor, queries }: Kind,
  connection: Connection,
  child: Child,
  { tokens }: Seeded,
): Promise<Figure[]> {
  const headers = { Cookie: `latchkey_session=${tokens[ACTORS[actor]]}` }
  const requests = queries.map((query) =>
    requestOf(child.url, { path: `/api/v2/users?${new URLSearchParams(query)}`, headers }),
  )
  const times = queries.map((): number[] => [])
  for (let round = -2; round < bench.rounds(ROUNDS); round++) {
    for (const [index, request] of requests.entries()) {
      const started = performance.now()
      const { status, text } = await connection.send(request)
      if (status !== 200) throw new Error(`${what}: ${status} ${text}`)
      if (round >= 0) times[index]?.push(performance.now() - started)
    }
  }
  const all = times.flat()
  const medians = times.map(median)
  const slowest = medians.indexOf(Math.max(...medians))
  return [
    { what: `${label}: ${what}, median`, value: median(all), unit: 'ms' },
    {
      what: `${label}: ${what}, p99`,
      value: percentile(all, 0.99),
      unit: 'ms',
      bar: { atMost: LIMIT },
      note: `slowest of ${queries.length}: ${describe(queries[slowest])}, median ${medians[slowest]?.toFixed(1)} ms`,
    },
  ]
}

const describe = (query: Query = {}): string =>
  Object.entries(query)
    .map(([name, value]) => `${name} ${name === 'cursor' ? Buffer.from(value, 'base64url').toString() : value}`)
    .join(', ') || 'the first page'

function kindsOf(users: number): Kind[] {
  const superuser = 'superuser' as const
  const searches = TERMS.map((q) => ({ q }))
  const states = ['enabled', 'disabled', 'temporary_password', 'superuser'].map((state) => ({ state }))
  const deep = SORTS.flatMap((sort) => [0.5, 0.99].map((share) => ({ sort, cursor: cursorAt(sort, share, users) })))
  const few: Kind['actor'] = 'manager of a few'
  const half: Kind['actor'] = 'manager of half of them'
  return [
    { what: 'everybody, first page', actor: superuser, queries: [{}, { limit: '200' }] },
    { what: 'each order, first page', actor: superuser, queries: SORTS.map((sort) => ({ sort })) },
    { what: 'each order, half-way and near the end', actor: superuser, queries: deep },
    { what: 'search', actor: superuser, queries: searches },
    {
      what: 'search in other orders and half-way',
      actor: superuser,
      queries: searches.flatMap(({ q }, index) => {
        const sort = SORTS[index % SORTS.length] ?? 'username'
        return [
          { q, sort },
          { q, sort, cursor: cursorAt(sort, 0.5, users) },
        ]
      }),
    },
    { what: 'by state', actor: superuser, queries: SORTS.flatMap((sort) => states.map((one) => ({ ...one, sort }))) },
    { what: `a ${half}`, actor: half, queries: [...SORTS.map((sort) => ({ sort })), ...deep, ...searches] },
    { what: `a ${few}`, actor: few, queries: [...SORTS.map((sort) => ({ sort })), ...deep, ...searches] },
  ]
}

/** The place that this share of the users come before, in that order. */
function cursorAt(sort: UserQuery['sort'], share: number, users: number): string {
  const place = sort.startsWith('-') ? 1 - share : share
  const names = Array.from({ length: 1_000 }, (_, index) => personOf(index).username).sort()
  const row: Pick<UserRecord, 'username' | 'created_at' | 'last_sign_in_at'> = {
    username: names[Math.floor(place * names.length)] ?? '',
    created_at: Math.floor(BEGAN + place * SPAN),
    // A third has never signed in, and comes first.
    last_sign_in_at: Math.floor(BEGAN + Math.max(0, place * 1.5 - 0.5) * SPAN),
  }
  return encodeCursor({ ...BLANK, ...row, user_id: Math.floor(users / 2) }, sort)
}

const BLANK: UserRecord = {
  user_id: 0,
  username: '',
  email: null,
  display_name: null,
  superuser: false,
  permissions: [],
  manager_id: null,
  enabled: true,
  lang: null,
  password_hash: null,
  require_password_change: false,
  password_expires: null,
  totp_secret: null,
  totp_confirmed_at: null,
  did: null,
  handle: null,
  avatar_url: null,
  created_at: 0,
  last_sign_in_at: null,
}

/** Half are managed by the second user, the others by a thousand more; one in a hundred is disabled. */
const personRow: RowMaker = (index, password_hash) => {
  const person = personOf(index)
  const pick = picker(-index)
  const created_at = BEGAN + pick(SPAN)
  return {
    ...person,
    user_id: index + 1,
    superuser: index === 0 || pick(5_000) === 0 ? 1 : 0,
    permissions: index > 0 && index < 10 ? '["USER_CONFIG"]' : '[]',
    manager_id: index < MANAGERS + 2 ? null : index % 2 === 0 ? 2 : 3 + pick(MANAGERS),
    enabled: index > 10 && pick(100) === 0 ? 0 : 1,
    lang: null,
    password_hash,
    require_password_change: index > 10 && pick(200) === 0 ? 1 : 0,
    password_expires: null,
    totp_secret: null,
    totp_confirmed_at: null,
    totp_last_step: 0,
    did: null,
    avatar_url: null,
    created_at,
    updated_at: created_at,
    last_sign_in_at: pick(3) === 0 ? null : BEGAN + pick(SPAN),
    search_text: searchTextOf(person),
  }
}
