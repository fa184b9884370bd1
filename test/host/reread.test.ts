import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { projectReader } from '../../src/host/reread.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'

let project: TemporaryProject
beforeAll(async () => {
  project = await generatedProject()
})
afterAll(() => project.remove())

const nameOfFirst = () => Object.keys(openProject(project.root).models)[0] ?? ''

/** Changes the description of a model to another text of the same length, in place. */
function describe(text: string): string {
  const path = join(project.root, 'models', nameOfFirst(), 'model.yaml')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^description: .*$/m, `description: ${text}`))
  return path
}

/** A reader that looks at the files at each call, and compares contents at each. */
function reader(compareMs: number) {
  const errors: string[] = []
  const log = Object.assign(pino({ level: 'silent' }), { error: (text: string) => errors.push(text) })
  const read = projectReader(openProject(project.root), log, { freshMs: 0, compareMs })
  return { description: () => read().models[nameOfFirst()]?.description, errors, read }
}

test('an edit is read at the next look; one with an error is logged once, and the last valid files stay', () => {
  describe('Text one')
  const { description, errors, read } = reader(60_000)
  expect(description()).toBe('Text one')
  describe('Text two')
  expect(description()).toBe('Text two')
  const path = describe('Text 333')
  const valid = readFileSync(path, 'utf8')
  writeFileSync(path, valid.replace('description:', 'descriptoin:'))
  const before = read()
  expect([read(), read()]).toEqual([before, before])
  expect(errors).toEqual([expect.stringContaining('descriptoin')])
  writeFileSync(path, valid)
  expect(description()).toBe('Text 333')
})

test('a change of contents is noticed on file systems that tell no other time', async () => {
  const then = new Date('2026-11-01T00:00:00Z')
  const change = (text: string) => {
    const path = describe(text)
    utimesSync(path, then, then)
    return statSync(path).size
  }
  const size = change('Text 000')
  const { description } = reader(0)
  expect(description()).toBe('Text 000')
  let changes = 0
  // The contents are read beside the process: a change while that happens is found by the comparison with the next one.
  await vi.waitFor(
    () => {
      changes++
      expect(change(`Text ${String(changes).padStart(3, '0')}`)).toBe(size)
      expect(description()).not.toBe('Text 000')
    },
    { timeout: 60_000, interval: 100 },
  )
  expect(changes).toBeGreaterThan(1)
})
