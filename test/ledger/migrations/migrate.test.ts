import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../../src/ledger/connection/database.ts'
import { migrate, pending } from '../../../src/ledger/migrations/migrate.ts'
import { ConfigurationError } from '../../../src/project/files/problem.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())
beforeEach(async () => {
  await fresh.database.pool.query('drop schema nightshift cascade')
})

function migration(name: string, sql: string) {
  return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') }
}
const FIRST = migration('001_first.sql', 'create table nightshift.one (n integer)')
const SECOND = migration('002_second.sql', 'insert into nightshift.one values (2)')

async function applied(): Promise<string[]> {
  const { rows } = await fresh.database.pool.query<{ name: string }>(
    'select name from nightshift.migrations order by applied_at, name',
  )
  return rows.map((row) => row.name)
}

test('migrations are applied in order, once, and recorded', async () => {
  await migrate(fresh.database, [FIRST])
  await migrate(fresh.database, [FIRST, SECOND])
  await migrate(fresh.database, [FIRST, SECOND])
  expect(await applied()).toEqual(['001_first.sql', '002_second.sql'])
  const { rows } = await fresh.database.pool.query('select n from nightshift.one')
  expect(rows).toEqual([{ n: 2 }])
})

test('eight processes that start at once apply each migration once', async () => {
  const opening = Array.from({ length: 8 }, () =>
    openDatabase({ root: tmpdir(), url: fresh.url, role: 'command', connections: 2 }),
  )
  const databases = await Promise.all(opening)
  await Promise.all(databases.map((database) => database.close()))
  const names = await applied()
  expect(names[0]).toBe('001_ledger.sql')
  expect(new Set(names).size).toBe(names.length)
})

test('a current database costs one query', async () => {
  await migrate(fresh.database, [FIRST, SECOND])
  const queries: unknown[] = []
  const counted = new Proxy(fresh.database.pool, {
    get(pool, name, receiver) {
      if (name === 'query' || name === 'connect') queries.push(name)
      const value = Reflect.get(pool, name, receiver)
      return typeof value === 'function' ? value.bind(pool) : value
    },
  })
  await migrate({ pool: counted }, [FIRST, SECOND])
  expect(queries).toEqual(['query'])
})

test('a migration that fails leaves nothing of itself, and the earlier ones stand', async () => {
  const broken = migration('002_broken.sql', 'create table nightshift.two (n integer); select no_such_thing')
  await expect(migrate(fresh.database, [FIRST, broken])).rejects.toThrow(
    /002_broken.sql failed.*no_such_thing/,
  )
  expect(await applied()).toEqual(['001_first.sql'])
  const { rows } = await fresh.database.pool.query(`select to_regclass('nightshift.two') as two`)
  expect(rows).toEqual([{ two: null }])
})

test('an applied migration that was edited is named', async () => {
  await migrate(fresh.database, [FIRST, SECOND])
  const edited = migration(FIRST.name, `${FIRST.sql} -- edited`)
  const failing = migrate(fresh.database, [edited, SECOND])
  await expect(failing).rejects.toThrow(ConfigurationError)
  await expect(failing).rejects.toThrow(/001_first.sql was edited/)
})

test('a database that is newer than the program asks for an upgrade', () => {
  const known = new Map([
    [FIRST.name, FIRST.sha256],
    [SECOND.name, SECOND.sha256],
  ])
  expect(() => pending([FIRST], known)).toThrow(/002_second.sql.*upgrade nightshift/)
})
