import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jsonSchemas } from '../../../src/project/files/json-schemas.ts'
import { loadProject } from '../../../src/project/files/load-project.ts'
import { ConfigurationError } from '../../../src/project/files/problem.ts'
import { initProject } from '../../../src/project/init/init-project.ts'
import { runbookSections } from '../../../src/project/init/runbook-skeleton.ts'
import { sampleData } from '../../../src/project/init/sample-data.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-init-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const options = { today: '2026-11-22', timezone: 'Europe/Berlin' }

describe('init', () => {
  it('makes a project without a single problem, in any zone', () => {
    for (const [index, timezone] of [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'America/Santiago',
    ].entries()) {
      const root = join(folder, `my ${index} Project!`)
      initProject(root, { ...options, timezone })
      const { project, problems } = loadProject(root, { now: new Date('2026-11-22T12:00:00Z') })
      expect(problems, timezone).toEqual([])
      expect(project).toMatchObject({ name: `my-${index}-project`, timezone })
      expect(Object.values(project?.views.customer_orders?.sources ?? {}).map(({ kind }) => kind)).toEqual([
        'events',
        'history',
      ])
    }
  })

  it('says which files it wrote, and leaves no placeholder in them', () => {
    const files = initProject(folder, options)
    expect(files).toContain('models/lapse/RUNBOOK.md')
    for (const file of files) expect(readFileSync(join(folder, file), 'utf8'), file).not.toContain('{{')
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(
      '--from 2026-06-05 --to 2026-11-22 --every 7d --holdout-from 2026-09-23',
    )
  })

  it('names in each YAML file a schema that is there, and current', () => {
    const files = initProject(folder, options).filter((file) => file.endsWith('.yaml'))
    expect(files).toHaveLength(5)
    for (const file of files) {
      const [first = ''] = readFileSync(join(folder, file), 'utf8').split('\n')
      const schema = resolve(folder, dirname(file), first.replace('# yaml-language-server: $schema=', ''))
      expect(readFileSync(schema, 'utf8'), file).toBe(jsonSchemas()[basename(schema)])
    }
  })

  it('fills every section of the runbook', () => {
    initProject(folder, options)
    const sections = runbookSections(readFileSync(join(folder, 'models/lapse/RUNBOOK.md'), 'utf8'))
    expect(sections.filter(({ empty }) => empty)).toEqual([])
  })

  it('refuses a folder with something in it, names it, and touches nothing', () => {
    writeFileSync(join(folder, 'notes.txt'), 'mine')
    expect(() => initProject(folder, options)).toThrow(ConfigurationError)
    expect(() => initProject(folder, options)).toThrow(
      `expected ${folder} to be empty, got: notes.txt; nothing was written`,
    )
    expect(readdirSync(folder)).toEqual(['notes.txt'])
    expect(() => initProject(join(folder, 'notes.txt'), options)).toThrow('got: a file')
  })

  it('works in a repository without files, and in a folder that is not there yet', () => {
    mkdirSync(join(folder, '.git'))
    expect(initProject(folder, options)).toContain('nightshift.yaml')
    const deep = join(folder, 'a/b')
    initProject(deep, options)
    expect(existsSync(join(deep, 'nightshift.yaml'))).toBe(true)
  })
})

describe('the sample data', () => {
  let connection: DuckDBConnection
  beforeEach(async () => {
    connection = await (await DuckDBInstance.create()).connect()
    const files = sampleData('2026-11-22')
    const [customers, ...orders] = files.map(({ sql }) => sql)
    await connection.run(`CREATE TABLE customers AS ${customers}`)
    await connection.run(`CREATE TABLE orders AS ${orders.map((sql) => `(${sql})`).join(' UNION ALL ')}`)
  })
  afterEach(() => connection.closeSync())

  const row = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson()[0]

  it('is the same for the same day', async () => {
    expect(sampleData('2026-11-22')).toEqual(sampleData('2026-11-22'))
    expect(sampleData('2026-11-22')).not.toEqual(sampleData('2026-11-23'))
    expect(await row('SELECT count(*), count(DISTINCT order_id), sum(amount) FROM orders')).toEqual([
      '4783',
      '4783',
      '247248.95',
    ])
  })

  it('meets what view.yaml expects of it', async () => {
    initProject(folder, options)
    const view = loadProject(folder).project?.views.customer_orders
    const cut = "TIMESTAMP '2026-11-22'"
    await connection.run(`CREATE VIEW seen AS SELECT * FROM orders WHERE ordered_at < ${cut}`)
    await connection.run(
      `CREATE VIEW valid AS SELECT * FROM customers WHERE valid_from < ${cut} AND (valid_to IS NULL OR valid_to > ${cut})`,
    )
    const sql = view?.sql
      .replaceAll('$as_of', cut)
      .replace('FROM customers', 'FROM valid AS customers')
      .replace('JOIN orders', 'JOIN seen AS orders')
    await connection.run(`CREATE TABLE features AS ${sql}`)
    expect(await row('SELECT count(*) > 100, count(*) = count(DISTINCT customer_id) FROM features')).toEqual([
      true,
      true,
    ])
    expect(
      await row(
        'SELECT min(tenure_days) >= 0, min(recency_days) >= 0, max(recency_days) <= 90, count(plan) = count(*) FROM features',
      ),
    ).toEqual([true, true, true, true])
    expect(await row('SELECT list(DISTINCT plan ORDER BY plan) FROM features')).toEqual([
      ['basic', 'plus', 'pro'],
    ])
    expect(await row(`SELECT max(ordered_at) > ${cut} - INTERVAL 26 HOUR FROM seen`)).toEqual([true])
  })

  it('has customers who lapse and customers who do not', async () => {
    initProject(folder, options)
    const labels = loadProject(folder).project?.models.lapse?.labels?.sql.replaceAll(
      '$as_of',
      "TIMESTAMP '2026-10-01'",
    )
    const [lapsed, all] = (await row(`SELECT sum(lapsed)::INTEGER, count(*)::INTEGER FROM (${labels})`)) ?? []
    expect(Number(lapsed)).toBeGreaterThan(20)
    expect(Number(lapsed)).toBeLessThan(Number(all) / 2)
  })
})
