import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { ended, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { record } from './record.ts'

const Line = z.array(z.string())
let database: FreshDatabase
let project: TemporaryProject
let folder: string
beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject()
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await project?.remove()
  await database?.drop()
})

test.runIf(process.platform === 'linux')(
  'what is published is on the disk before it has its name, and its name right after',
  async () => {
    const log = join(folder, 'disk.jsonl')
    writeFileSync(log, '')
    const watch = pathToFileURL(join(import.meta.dirname, 'watch-disk.mjs'))
    watch.searchParams.set('log', log)
    const begun = performance.now()
    const command = start(['refresh', 'activity', '--as-of', '2026-03-02'], {
      project: project.root,
      env: { DATABASE_URL: database.url },
      node: ['--import', watch.href],
    })
    const { code, stderr } = await ended(command)
    expect(code, stderr).toBe(0)
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    const done = lines.map((line) => Line.parse(JSON.parse(line)))
    const target = join(project.root, 'warehouse/features/activity/as_of=2026-03-02/features.parquet')
    const moved = done.findIndex(([what, , to]) => what === 'rename' && to === target)
    const from = done[moved]?.[1] ?? ''
    expect(from).toContain('/.attempts/')
    const synced = (path: string) =>
      done.flatMap(([what, of], index) => (what === 'sync' && of === path ? [index] : []))
    expect(synced(from)[0], 'the file is synced').toBeLessThan(moved)
    expect(synced(dirname(target)).at(-1), 'its folder is synced').toBeGreaterThan(moved)
    // The folder is new, and so is the one above it: their names are on the disk too.
    expect(synced(dirname(dirname(target))).length).toBeGreaterThan(0)
    record({
      fault: 'a power cut at any moment of a publication (what is synced when is watched)',
      promise: 'the stable name is of the old partition or of the new one, whole',
      happened: 'file synced, then renamed, then the folder synced',
      seconds: (performance.now() - begun) / 1000,
    })
  },
)
