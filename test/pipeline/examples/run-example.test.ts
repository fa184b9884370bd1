import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runExample } from '../../../src/pipeline/examples/run-example.ts'
import { loadExamples } from '../../../src/project/files/load-examples.ts'
import type { Source } from '../../../src/project/project.ts'
import { duration, makeFolder, makeView } from '../feature-case.ts'

const SQL = `SELECT id, count(*)::INTEGER AS calls, (sum(seconds) / 3.0)::FLOAT AS thirds, max(began) AS last_at,
  any_value(kind ORDER BY began) AS kind, sum(price)::DECIMAL(10, 2) AS paid
FROM calls WHERE hour(began) >= 22 GROUP BY id`

const calls: Source = {
  kind: 'events',
  path: 'data/day=*/*.parquet',
  event_time: 'began',
  available_at: 'came',
  cutoff: duration('4h'),
  hive: { day: 'DATE' },
  timezones: { born: 'local' },
}

/** 22:30 and 21:30 in Berlin, and one that came too late. */
const ROWS = `
sources:
  calls:
    - { id: '0007', began: 2026-02-27 21:30:00, came: 2026-02-28 00:00:00, seconds: 1, kind: '5', price: 1.5, day: 2026-02-27 }
    - { id: '0007', began: 2026-02-27 20:30:00, came: 2026-02-28 00:00:00, seconds: 1, kind: '5', price: 1.5, day: 2026-02-27 }
    - { id: '0008', began: 2026-02-28 21:30:00, came: 2026-03-01 04:00:00, seconds: 1, kind: '5', price: 1.5, day: 2026-02-28 }
`

function load(text: string, sql = SQL) {
  const root = makeFolder()
  const view = makeView(root, { sql, sources: { calls, others: { kind: 'static', path: 'o.parquet' } } })
  mkdirSync(join(view.folder, 'examples'), { recursive: true })
  writeFileSync(
    join(view.folder, 'examples/first.yaml'),
    `example: Calls at night\nas_of: 2026-03-01\n${text}`,
  )
  return { root, view, ...loadExamples(root, view, 'Europe/Berlin') }
}

async function run(rows: string, sql = SQL) {
  const { root, view, examples, problems } = load(`${ROWS}rows: ${rows}`, sql)
  expect(problems).toEqual([])
  const [example] = examples
  if (example === undefined) throw new Error('the example was not read')
  return runExample({ root, view, timezone: 'Europe/Berlin', example })
}

describe('an example', () => {
  it('passes where the features are what it says: cut, zones and types as at night', async () => {
    const facts = await run(
      `[{ id: '0007', calls: 1, thirds: 0.3333333, last_at: 2026-02-27 22:30:00, kind: '5', paid: 1.5 }]`,
    )
    expect(facts).toMatchObject({ differences: [], values: 5, rows: 1 })
  })

  it('names row and column of each difference', async () => {
    const { differences } = await run(
      `[{ id: '0007', calls: 1.4, thirds: 0.33333, kind: 5, paid: 1.499 }, { id: '0008', calls: 1 }]`,
    )
    expect(differences).toEqual([
      { entity: 'id "0007"', column: 'calls', expected: '1.4', got: '1' },
      { entity: 'id "0007"', column: 'thirds', expected: '0.33333', got: '0.33333334' },
      { entity: 'id "0007"', column: 'kind', expected: '5', got: '"5"' },
      { entity: 'id "0007"', column: 'paid', expected: '1.499', got: '1.50' },
      { entity: 'id "0008"', column: null, expected: 'a row', got: 'none' },
    ])
  })

  it('fails for a row that it does not expect, and for a null', async () => {
    expect((await run('[]')).differences).toEqual([
      { entity: 'id "0007"', column: null, expected: 'no row', got: 'a row' },
    ])
    expect((await run(`[{ id: '0007', calls: null }]`)).differences).toMatchObject([{ got: '1' }])
  })

  it('fails once the SQL is edited', async () => {
    const { differences } = await run(`[{ id: '0007', calls: 1 }]`, SQL.replace('22', '21'))
    expect(differences).toMatchObject([{ column: 'calls', expected: '1', got: '2' }])
  })

  it('refuses a column that the view has not', async () => {
    await expect(run(`[{ id: '0007', cals: 1 }]`)).rejects.toThrow('did you mean calls?')
  })

  it('refuses SQL that serving refuses', async () => {
    const now = SQL.replace('count(*)', 'year(now())')
    await expect(run(`[{ id: '0007', calls: 1 }]`, now)).rejects.toThrow('now')
  })

  it('asks for the rows of a source that it forgets', async () => {
    const { root, view, examples } = load(`sources: { others: [{ id: a }] }\nrows: [{ id: a, calls: 1 }]`)
    const [example] = examples
    if (example === undefined) throw new Error('the example was not read')
    const ran = runExample({ root, view, timezone: 'Europe/Berlin', example })
    await expect(ran).rejects.toThrow('features.sql reads a source of which the example has no rows')
  })
})

describe('a file of an example', () => {
  const refused = (text: string) => load(text).problems.map(({ line, message }) => `${line}: ${message}`)

  it.each([
    ['compares nothing', `${ROWS}rows: [{ id: '0007' }]`, 'the rows compare no feature'],
    [
      'has no rows at all',
      'types: { calls: { id: BIGINT } }\nsources: { calls: [] }\nrows: []',
      'show nothing',
    ],
    ['names an entity twice', `${ROWS}rows: [{ id: a, calls: 1 }, { id: a, calls: 2 }]`, 'listed twice'],
    ['names no entity', `${ROWS}rows: [{ calls: 1 }]`, 'it has no id'],
    [
      'misspells a source',
      'sources: { cals: [{ id: a }] }\nrows: [{ id: a, calls: 1 }]',
      'did you mean calls?',
    ],
    ['leaves a type open', 'sources: { calls: [{ id: null }] }\nrows: [{ id: a, calls: 1 }]', 'say its type'],
    [
      'mixes types',
      'sources: { calls: [{ id: 1 }, { id: a }] }\nrows: [{ id: a, calls: 1 }]',
      'several types',
    ],
    [
      'has a value of another type',
      'types: { calls: { began: TIMESTAMP } }\nsources: { calls: [{ began: 2026-02-30 12:00 }] }\nrows: [{ id: a, calls: 1 }]',
      'expected calls.began to be a TIMESTAMP, got: "2026-02-30 12:00"',
    ],
    [
      'has a number that YAML rounds',
      'sources: { calls: [{ id: 9007199254740993 }] }\nrows: [{ id: a, calls: 1 }]',
      'write it in quotes',
    ],
  ])('that %s is refused with its line', (_, text, words) => {
    const problems = refused(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^\d+: /)
    expect(problems[0]).toContain(words)
  })
})
