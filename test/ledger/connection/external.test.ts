import { tmpdir } from 'node:os'
import { expect, inject, test } from 'vitest'
import { openDatabase } from '../../../src/ledger/connection/database.ts'
import { ConfigurationError } from '../../../src/project/files/problem.ts'

const root = tmpdir()

async function refusal(change: (url: URL) => void): Promise<ConfigurationError> {
  const url = new URL(inject('databaseUrl'))
  url.password = 'hush-hush'
  change(url)
  return await refusalOf(url.href)
}

async function refusalOf(url: string): Promise<ConfigurationError> {
  try {
    const database = await openDatabase({ root, url, role: 'command' })
    await database.close()
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
  throw new Error('expected the URL to be refused, but it works')
}

test('a wrong password is an error of the configuration that does not show it', async () => {
  const { message } = await refusal(() => {})
  expect(message).toMatch(/^DATABASE_URL: .*nightshift@127.0.0.1:\d+\/postgres.*check user and password$/)
  expect(message).not.toContain('hush')
})

test('a server that does not run is an error of the configuration, which names host and port', async () => {
  const { message } = await refusal((url) => {
    url.port = '1'
  })
  expect(message).toMatch(/127.0.0.1:1\/postgres, got: connection refused/)
  expect(message).not.toContain('hush')
})

test('a database that is not there is named', async () => {
  const { password } = new URL(inject('databaseUrl'))
  const { message } = await refusal((url) => {
    url.password = password
    url.pathname = '/missing'
  })
  expect(message).toMatch(/database "missing" does not exist; create it/)
  expect(message).not.toContain(password)
})

test('what is no URL of PostgreSQL is refused without being shown', async () => {
  for (const url of ['hush-hush', 'mysql://me:hush-hush@host/db', 'postgresql://me:hush-hush@:bad']) {
    const { message } = await refusalOf(url)
    expect(message).toMatch(/^DATABASE_URL: expected postgresql:\/\//)
    expect(message).not.toContain('hush')
  }
})

test('a database of our own is used as it is, and not called embedded', async () => {
  const database = await openDatabase({ root, url: inject('databaseUrl'), role: 'web' })
  const { rows } = await database.pool.query(
    `select current_setting('application_name') as name, current_setting('TimeZone') as zone`,
  )
  expect(rows).toEqual([{ name: 'nightshift web', zone: 'UTC' }])
  expect(database.embedded).toBe(false)
  await database.close()
})
