import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openEngine } from '../../../src/pipeline/engine/duckdb.ts'
import { readEngineError } from '../../../src/pipeline/engine/engine-error.ts'
import { makeFolder, writeParquet } from '../feature-case.ts'

async function open() {
  const folder = makeFolder()
  for (const name of ['in', 'out', 'temp', 'elsewhere']) mkdirSync(join(folder, name))
  const input = await writeParquet(join(folder, 'in/a.parquet'), 'SELECT 42 AS a')
  const secret = await writeParquet(join(folder, 'elsewhere/secret.parquet'), 'SELECT 1 AS a')
  writeFileSync(join(folder, 'elsewhere/secret.csv'), 'a\n1\n')
  symlinkSync(join(folder, 'elsewhere/secret.csv'), join(folder, 'out/link.csv'))
  const engine = await openEngine({
    readable: [input],
    writable: [join(folder, 'out')],
    temp: join(folder, 'temp'),
    threads: 1,
    timezone: 'Europe/Berlin',
  })
  return { folder, input, secret, engine }
}

describe('an engine', () => {
  it('reads the files and writes the folders that it was opened for', async () => {
    const { engine, input, folder } = await open()
    await engine.run(`COPY (SELECT a + 1 AS a FROM read_parquet('${input}')) TO '${folder}/out/b.parquet'`)
    expect(await engine.rows(`SELECT a FROM read_parquet('${folder}/out/b.parquet')`)).toEqual([{ a: 43 }])
    expect(await engine.row(`SELECT TIMESTAMPTZ '2026-07-01 00:00:00+00'::VARCHAR AS at`)).toEqual({
      at: '2026-07-01 02:00:00+02',
    })
    engine.close()
  })

  it('can do nothing else, whatever SQL it is given', async () => {
    const { engine, input, secret, folder } = await open()
    for (const sql of [
      `SELECT * FROM read_parquet('${secret}')`,
      `SELECT * FROM read_csv('${folder}/elsewhere/secret.csv')`,
      `SELECT * FROM read_csv('${folder}/out/link.csv')`,
      `SELECT * FROM read_csv('${folder}/out/../elsewhere/secret.csv')`,
      `SELECT * FROM read_text('/etc/hostname')`,
      `SELECT * FROM glob('${folder}/*')`,
      `SELECT * FROM 'https://example.com/x.parquet'`,
      `COPY (SELECT 1) TO '${folder}/elsewhere/x.parquet'`,
      `COPY (SELECT 1) TO '${input}'`,
      `ATTACH '${folder}/elsewhere/x.db'`,
      'LOAD httpfs',
      'INSTALL httpfs',
      'SET threads = 8',
      `SET temp_directory = '${folder}/elsewhere'`,
      'SET enable_external_access = true',
      'SET lock_configuration = false',
      'RESET lock_configuration',
    ]) {
      const error: unknown = await engine.run(sql).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(readEngineError(error)?.type, sql).toMatch(
        /^(?:Permission|Invalid Input|Invalid Configuration|Not implemented)$/,
      )
    }
    engine.close()
  })

  it('runs statements one after the other, so that none ends another', async () => {
    const { engine } = await open()
    const answers = await Promise.all(
      [1, 2, 3].map((n) => engine.row(`SELECT ${n} AS n, sum(range) AS s FROM range(100000)`)),
    )
    expect(answers.map(({ n }) => n)).toEqual([1, 2, 3])
    await expect(Promise.all([engine.run('SELECT nope'), engine.row('SELECT 1 AS n')])).rejects.toThrow(
      'nope',
    )
    engine.close()
  })

  it('says its errors in a few words, with their place', async () => {
    const { engine } = await open()
    const error: unknown = await engine
      .run('SELECT a FROM (SELECT 1 AS b)')
      .catch((reason: unknown) => reason)
    expect(readEngineError(error)).toEqual({
      type: 'Binder',
      message: 'Referenced column "a" not found in FROM clause; Candidate bindings: "b"',
      position: 7,
      candidates: ['b'],
      name: 'a',
    })
    engine.close()
  })
})
