import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { type TemporaryProject, temporaryProject } from '../projects/cdnow.ts'
import { ended, nightshiftJson, start } from './nightshift.ts'

const PARQUET = resolve(import.meta.dirname, '../../../shared/data/parquet')
const THERE = existsSync(PARQUET)
if (!THERE) console.warn(`skipped: ${PARQUET} is not there`)
const BAD = THERE ? readdirSync(join(PARQUET, 'bad')) : []
/** DuckDB reads these, and they carry no page checksums by which what it reads could be doubted. */
const READABLE = ['ARROW-GH-43605.parquet', 'ARROW-GH-45185.parquet', 'ARROW-RS-GH-6229-LEVELS.parquet']
const nameOf = (file: string) => `v_${file.toLowerCase().replace(/\W+/g, '_')}`

describe.skipIf(!THERE)('files of apache/parquet-testing as sources, with one worker', () => {
  let database: FreshDatabase
  let project: TemporaryProject
  let worker: ReturnType<typeof start>
  let at: { project: string; env: Record<string, string> }

  beforeAll(async () => {
    database = await freshDatabase()
    const files = [...BAD.map((file) => join('bad', file)), 'good/alltypes_plain.parquet']
    const views = files.flatMap((file) => {
      const name = nameOf(file.replace(/^\w+\//, ''))
      return [
        [
          `features/${name}/view.yaml`,
          `view: ${name}\nentity: id\nowner: data@example.com\nsources:\n  source: { path: ${join(PARQUET, file)}, kind: static }\n`,
        ],
        // Every column of the file is read.
        [
          `features/${name}/features.sql`,
          'SELECT count(*) AS id, count(DISTINCT s::VARCHAR) AS n FROM source s\n',
        ],
      ]
    })
    project = await temporaryProject({
      'nightshift.yaml': 'project: parquet\ntimezone: UTC\nwarehouse: warehouse\n',
      ...Object.fromEntries(views),
    })
    at = { project: project.root, env: { DATABASE_URL: database.url } }
    worker = start(['worker'], at)
  })
  afterAll(async () => {
    const over = ended(worker)
    worker?.kill('SIGTERM')
    await over
    await project?.remove()
    await database?.drop()
  })

  test.each(BAD)('%s ends in a sentence that names it, or in a warning', async (file) => {
    const { json } = await nightshiftJson(['refresh', nameOf(file), '--as-of', '2026-01-01'], at)
    const said = json.state === 'published' ? json.warnings.join('\n') : json.failure.message
    if (READABLE.includes(file)) expect(json).toMatchObject({ state: 'published', rows: 1 })
    else {
      expect(json.state).toMatch(/^(held|failed|published)$/)
      expect(said).toContain(file)
    }
  })

  test('the worker lives, and the next run works', async () => {
    expect(worker.exitCode).toBeNull()
    const { code, json } = await nightshiftJson(
      ['refresh', nameOf('alltypes_plain.parquet'), '--as-of', '2026-01-01'],
      at,
    )
    expect({ code, ...json }).toMatchObject({ code: 0, state: 'published', rows: 1 })
  })
})
