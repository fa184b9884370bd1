import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { CLI, nightshift } from './nightshift.ts'

/** Calls as they are typed: without --project, from some folder. */
function typed(
  args: string[],
  { cwd = tmpdir(), env = {} }: { cwd?: string; env?: Record<string, string> } = {},
) {
  return spawnSync(process.execPath, [CLI, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, DATABASE_URL: '', REDIS_URL: '', NIGHTSHIFT_PROJECT: '', ...env },
  })
}

test('an error about a call names all that is missing, the usage, and the help of the command', () => {
  const { status, stderr } = typed(['backfill'])
  expect(status).toBe(2)
  expect(stderr.trim().split('\n')).toEqual([
    'error: missing <model>, --from <as-of>, --to <as-of>',
    'Usage: nightshift backfill <model...> --from <as-of> --to <as-of> [options]',
    '(nightshift backfill --help explains each)',
  ])
  expect(typed(['release', 'abc', '--by', 'ann']).stderr).toContain('missing --reason <reason>\n')
})

test('help knows the commands, and what was meant', () => {
  expect(typed(['help', 'run']).stdout).toContain('Usage: nightshift run <model> --as-of <as-of> [options]')
  expect(typed(['help']).stdout).toContain('Runs and backfills')
  const { status, stderr } = typed(['help', 'stauts'])
  expect(status).toBe(2)
  expect(stderr).toContain('there is no command stauts; did you mean status?')
})

describe('the project', () => {
  let fresh: FreshDatabase
  let project: TemporaryProject
  let away: string
  let env: Record<string, string>
  beforeAll(async () => {
    fresh = await freshDatabase()
    env = { DATABASE_URL: fresh.url }
    project = await generatedProject()
    mkdirSync(join(project.root, 'features/activity/deep'), { recursive: true })
    away = mkdtempSync(join(tmpdir(), 'nightshift-away-'))
  })
  afterAll(async () => {
    rmSync(away, { recursive: true, force: true })
    await project.remove()
    await fresh.drop()
  })

  test('is found in a folder above, by NIGHTSHIFT_PROJECT, and by --project before both', () => {
    const deep = join(project.root, 'features/activity/deep')
    expect(typed(['backfills'], { cwd: deep, env }).stdout).toContain('no backfills')
    expect(typed(['backfills'], { cwd: away, env }).status).toBe(2)
    const named = { ...env, NIGHTSHIFT_PROJECT: project.root }
    expect(typed(['backfills'], { cwd: away, env: named }).stdout).toContain('no backfills')
    expect(typed(['backfills', '--project', away], { cwd: deep, env: named }).status).toBe(2)
  })

  test('a night may be called by a word, a run by its slot', async () => {
    const at = { project: project.root, env }
    const today = new Date().toISOString().slice(0, 10)
    const done = await nightshift(['refresh', 'activity', '--as-of', 'latest', '--json'], at)
    expect(done.code, done.stderr).toBe(0)
    // The day may have changed meanwhile.
    const { as_of: night } = JSON.parse(done.stdout)
    expect([today, new Date().toISOString().slice(0, 10)]).toContain(night)
    const shown = await nightshift(['show', `activity:${night}`, '--json'], at)
    expect(JSON.parse(shown.stdout)).toMatchObject({ name: 'activity', state: 'published' })
    const none = await nightshift(['show', 'activity:1999-01-01'], at)
    expect(none.code).toBe(2)
    expect(none.stderr).toContain('there is no slot activity:1999-01-01')
  })

  test('an incident is shown as its mail says it, with what happened since', async () => {
    const at = { project: project.root, env }
    const file = 'data/events/date=2026-03-01/torn.parquet'
    await project.write(file, 'this is no Parquet file')
    // A younger one could still be being written.
    utimesSync(join(project.root, file), 1e9, 1e9)
    const failed = await nightshift(['refresh', 'activity', '--as-of', 'yesterday'], at)
    expect(failed.code, failed.stderr).toBe(1)
    const { stdout } = await nightshift(['incidents', '1'], at)
    expect(stdout).toMatch(/^(?:New|No) features of activity for \d{4}-/)
    expect(stdout).toContain('NEXT THREE COMMANDS')
    expect(stdout).toMatch(/ opened +\d{4}-/)
    const missing = await nightshift(['incidents', '77'], at)
    expect(missing.code).toBe(2)
    expect(missing.stderr).toContain('expected the number of an incident, got: 77')
  })
})
