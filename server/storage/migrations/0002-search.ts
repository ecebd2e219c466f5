import { type Kysely, sql } from 'kysely'
import type { Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'

/** What lists and searches of users need: quite different things on the two engines. */
export async function up(db: Kysely<Tables>, engine: Engine['name']): Promise<void> {
  if (engine === 'postgres') await upPostgres(db)
  else await upEmbedded(db)
}

/** The columns by which users are listed, and nothing else: what may change without anybody's list noticing is absent. */
const LISTED =
  'search_text, username, created_at, last_sign_in_at, manager_id, enabled, superuser, require_password_change'

/**
 * The server keeps what it searches in memory (`user-directory.ts`) and must know what changed: users are counted off
 * into blocks of 256 by their ids, and a block's revision grows with each change of one of its users.
 */
async function upEmbedded(db: Kysely<Tables>): Promise<void> {
  // A column where there was an expression: SQLite finds a place in an index by two values only if both are columns.
  await sql`alter table users add column signed_in_at integer
    generated always as (coalesce(last_sign_in_at, 0)) virtual`.execute(db)
  await db.schema.dropIndex('users_by_sign_in').execute()
  await db.schema.createIndex('users_by_sign_in').on('users').columns(['signed_in_at', 'user_id']).execute()
  await db.schema
    .createTable('user_blocks')
    .addColumn('block', 'integer', (column) => column.primaryKey().notNull())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .execute()
  await sql`insert into user_blocks select distinct user_id >> 8, 1 from users`.execute(db)
  await sql`create trigger users_add_to_block after insert on users begin
    insert into user_blocks select new.user_id >> 8, 0
      where not exists (select 1 from user_blocks where block = new.user_id >> 8);
    update user_blocks set revision = revision + 1 where block = new.user_id >> 8;
  end`.execute(db)
  await sql`create trigger users_change_block after update of ${sql.raw(LISTED)} on users begin
    update user_blocks set revision = revision + 1 where block = new.user_id >> 8;
  end`.execute(db)
  await sql`create trigger users_leave_block after delete on users begin
    update user_blocks set revision = revision + 1 where block = old.user_id >> 8;
  end`.execute(db)
}

async function upPostgres(db: Kysely<Tables>): Promise<void> {
  await addSearch(db)
  await addCounts(db)
  await addIndexes(db)
}

/**
 * A narrow copy of `users` that a search can gather its matches from, with an index of every part of one, two and three
 * characters. The index is our own, not pg_trgm's: that one may not be installed, knows nothing of two characters, and in
 * the C locale knows no letters but those of ASCII. It is not on `users`, because each sign-in writes a user's row anew, and
 * would write all his parts anew; here a sign-in touches no index.
 */
async function addSearch(db: Kysely<Tables>): Promise<void> {
  // What it says of itself decides the plan: too dear to take every row apart instead of opening the index, and alone, for
  // starting helpers takes longer than such a search.
  await sql`create function latchkey_grams(text) returns text[]
    language plpgsql immutable strict parallel unsafe cost 10000 as $$
    declare
      letters text[] := string_to_array($1, null);
      grams text[] := letters;
      pair text;
    begin
      for at in 1 .. cardinality(letters) - 1 loop
        pair := letters[at] || letters[at + 1];
        grams := array_append(grams, pair);
        if at + 2 <= cardinality(letters) then grams := array_append(grams, pair || letters[at + 2]); end if;
      end loop;
      return grams;
    end $$`.execute(db)
  await db.schema
    .createTable('user_search')
    .addColumn('user_id', 'integer', (column) => column.primaryKey().references('users.user_id').onDelete('cascade'))
    .addColumn('username', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_sign_in_at', 'bigint')
    .addColumn('manager_id', 'integer')
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('superuser', 'integer', (column) => column.notNull())
    .addColumn('require_password_change', 'integer', (column) => column.notNull())
    .addColumn('search_text', 'text', (column) => column.notNull())
    // Room on each page, so that a changed row stays on it and its index entries stay as they are.
    .modifyEnd(sql`with (fillfactor = 85)`)
    .execute()
  const columns = sql.raw(`user_id, ${LISTED}`)
  const assignments = sql.raw(
    LISTED.split(', ')
      .map((name) => `${name} = excluded.${name}`)
      .join(', '),
  )
  await sql`create function latchkey_copy_user() returns trigger language plpgsql as $$
    begin
      insert into user_search (${columns}) values (${sql.raw(`new.user_id, new.${LISTED.replaceAll(', ', ', new.')}`)})
        on conflict (user_id) do update set ${assignments};
      return null;
    end $$`.execute(db)
  // The triggers come first: they lock out writers, so that no user is missed.
  await sql`create trigger users_copy_new after insert on users
    for each row execute function latchkey_copy_user()`.execute(db)
  await sql`create trigger users_copy_changed after update of ${sql.raw(LISTED)} on users
    for each row execute function latchkey_copy_user()`.execute(db)
  await sql`insert into user_search (${columns}) select ${columns} from users`.execute(db)
  // A search reads what waits to be put in the index one by one: little may wait.
  await sql`create index user_search_by_part on user_search
    using gin (latchkey_grams(search_text) collate "C") with (gin_pending_list_limit = 512)`.execute(db)
  await sql`create index user_search_by_manager on user_search (manager_id)`.execute(db)
  await sql`create index user_search_disabled on user_search (user_id) where enabled = 0`.execute(db)
  await sql`create index user_search_temporary on user_search (user_id) where require_password_change = 1`.execute(db)
  await sql`create index user_search_superusers on user_search (user_id) where superuser = 1`.execute(db)
}

/**
 * How many users there are, as the sum of a few rows: counting a million takes PostgreSQL 100 ms. Each connection adds to a
 * row of its own, as a rule, so that nobody waits for somebody else's transaction.
 */
async function addCounts(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('user_counts')
    .addColumn('shard', 'integer', (column) => column.primaryKey())
    .addColumn('users', 'bigint', (column) => column.notNull())
    .modifyEnd(sql`with (fillfactor = 10)`)
    .execute()
  await sql`create function latchkey_count_users() returns trigger language plpgsql as $$
    declare
      change bigint := (select count(*) from changed);
    begin
      if tg_op = 'DELETE' then change := -change; end if;
      if change <> 0 then
        update user_counts set users = users + change where shard = pg_backend_pid() % 64;
      end if;
      return null;
    end $$`.execute(db)
  await sql`create trigger users_count_new after insert on users referencing new table as changed
    for each statement execute function latchkey_count_users()`.execute(db)
  await sql`create trigger users_count_gone after delete on users referencing old table as changed
    for each statement execute function latchkey_count_users()`.execute(db)
  await sql`insert into user_counts select shard, 0 from generate_series(0, 63) as shard`.execute(db)
  await sql`update user_counts set users = (select count(*) from users) where shard = 0`.execute(db)
}

/** One index for each order, holding all that a search or filter looks at: a walk in order need not read the rows. */
async function addIndexes(db: Kysely<Tables>): Promise<void> {
  const beside = sql.raw(
    'include (last_sign_in_at, manager_id, enabled, superuser, require_password_change, search_text)',
  )
  await sql`create index users_by_name on users (username, user_id) ${beside}`.execute(db)
  await db.schema.dropIndex('users_by_creation').execute()
  await sql`create index users_by_creation on users (created_at, user_id) ${beside}`.execute(db)
  await db.schema.dropIndex('users_by_sign_in').execute()
  await sql`create index users_by_sign_in on users (coalesce(last_sign_in_at, 0), user_id) ${beside}`.execute(db)
}
