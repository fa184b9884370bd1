import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const SRC = resolve(import.meta.dirname, '../src')

/** What each folder may import, beside itself. */
const ALLOWED: Record<string, string[]> = {
  project: [],
  pipeline: ['project'],
  charts: ['pipeline', 'project'],
  database: ['project', 'pipeline'],
  registry: ['database', 'pipeline', 'project'],
  alerts: ['database', 'charts', 'pipeline', 'project'],
  jobs: ['registry', 'alerts', 'database', 'pipeline', 'project'],
  workers: ['jobs', 'registry', 'alerts', 'charts', 'database', 'pipeline', 'project'],
  web: ['workers', 'jobs', 'registry', 'alerts', 'charts', 'database', 'pipeline', 'project'],
  cli: ['web', 'workers', 'jobs', 'registry', 'alerts', 'charts', 'database', 'pipeline', 'project'],
}

/** Of the pipeline, jobs may know only what its facts and failures look like. */
const FACTS_FOR_JOBS = ['pipeline/facts.ts', 'pipeline/failure.ts']

interface Import {
  from: string
  to: string
}

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return files(path)
    return name.endsWith('.ts') ? [path] : []
  })
}

function imports(): Import[] {
  return files(SRC).flatMap((path) => {
    const text = readFileSync(path, 'utf8')
    return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, to]) => ({
      from: relative(SRC, path),
      to: relative(SRC, resolve(path, '..', to ?? '')),
    }))
  })
}

const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path)

test('imports go one way', () => {
  const wrong = imports().filter(({ from, to }) => {
    const [source, target] = [folderOf(from), folderOf(to)]
    if (source === target || source === 'cli.ts') return false
    // Commands share the types of their options with the program that calls them.
    if (target === 'cli.ts') return source !== 'cli'
    return !ALLOWED[source]?.includes(target)
  })
  expect(wrong).toEqual([])
})

test('jobs know no more of the pipeline than its facts and failures', () => {
  const wrong = imports().filter(
    ({ from, to }) =>
      folderOf(from) === 'jobs' && folderOf(to) === 'pipeline' && !FACTS_FOR_JOBS.includes(to),
  )
  expect(wrong).toEqual([])
})

test('the pipeline and the project know no environment, no clock, no queue and no database', () => {
  const forbidden =
    /process\.env|Date\.now\(|new Date\(\)|Temporal\.Now|from '(?:pg|bullmq|ioredis|nodemailer)'/
  const wrong = files(join(SRC, 'pipeline')).filter((path) => forbidden.test(readFileSync(path, 'utf8')))
  expect(wrong.map((path) => relative(SRC, path))).toEqual([])
})

test('only the program itself exits', () => {
  const exits = files(SRC).filter((path) => /process\.exit\(/.test(readFileSync(path, 'utf8')))
  expect(exits.map((path) => relative(SRC, path)).filter((path) => path !== 'cli.ts')).toEqual([])
})
