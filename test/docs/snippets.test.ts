import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { openEngine } from '../../src/pipeline/engine/duckdb.ts'
import { checkFeatureSql } from '../../src/pipeline/sql/check-sql.ts'
import { modelSchema } from '../../src/project/schema/model-schema.ts'
import { viewSchema } from '../../src/project/schema/view-schema.ts'

const DOCS = resolve(import.meta.dirname, '../../docs')
const read = (page: string) => readFileSync(join(DOCS, page), 'utf8')

/** Blocks of a page in a language. */
function blocks(page: string, language: string): string[] {
  return [...read(page).matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  )
}

async function problemsOf(sql: string, declaredSources: string[]) {
  const engine = await openEngine({ readable: [], writable: [], temp: tmpdir(), threads: 1, timezone: 'UTC' })
  try {
    const { problems } = await checkFeatureSql(engine, sql, { file: 'features.sql', declaredSources })
    return problems.filter(({ severity }) => severity === 'error').map(({ message }) => message)
  } finally {
    engine.close()
  }
}

test('the sources of docs/sources.md are legal, and so are their SELECTs', async () => {
  const found = blocks('sources.md', 'yaml')
  expect(found.length).toBeGreaterThan(3)
  for (const text of found) {
    const { sources } = viewSchema.parse({ view: 'v', entity: 'id', owner: 'o', ...parse(text) })
    for (const { select } of Object.values(sources))
      if (select !== undefined) expect(await problemsOf(select, ['raw'])).toEqual([])
  }
})

test('the keys of docs/exporting-models.md are legal', () => {
  const [text = ''] = blocks('exporting-models.md', 'yaml')
  const given = {
    model: 'm',
    owner: 'o@example.com',
    on_call: ['o@example.com'],
    view: 'v',
    ...parse(text),
  }
  expect(() => modelSchema.parse(given)).not.toThrow()
})

test('the SQL of docs/feature-sql.md is legal, and what it calls refused is refused', async () => {
  for (const sql of blocks('feature-sql.md', 'sql'))
    expect(await problemsOf(sql, ['customers', 'orders'])).toEqual([])
  const refused = [
    ...(read('feature-sql.md').split('## What is refused')[1] ?? '').matchAll(/^\| `([^`]+)` \|/gm),
  ]
  expect(refused.length).toBeGreaterThan(8)
  for (const [, sql = ''] of refused)
    expect(await problemsOf(sql, ['customers', 'orders']), sql).not.toEqual([])
})

const hasPython = spawnSync('python3', ['-c', 'import ast, sys']).status === 0
if (!hasPython) console.warn('skipped: python3 is not there, and the Python of the pages is not parsed')

test.skipIf(!hasPython)('the Python of the pages can be parsed', () => {
  const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md'))
  const found = pages.flatMap((page) => blocks(page, 'python').map((text) => ({ page, text })))
  expect(found.length).toBeGreaterThan(10)
  for (const { page, text } of found) {
    const { status, stderr } = spawnSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], {
      input: text,
      encoding: 'utf8',
    })
    expect(status, `${page}: ${text}\n${stderr}`).toBe(0)
  }
})
