import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'
import { promoting } from '../../promoting.ts'
import { CLI, ended, nightshift } from '../nightshift.ts'

let database: FreshDatabase
let project: TemporaryProject
const at = () => ({ project: project.root, env: { DATABASE_URL: database.url } })
beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject({ customers: 20 })
  for (const args of [
    ['register', 'value', join(project.root, 'model.onnx')],
    promoting('value', 1),
    ['run', 'value', '--as-of', '2026-03-02'],
  ]) {
    const { code, stderr } = await nightshift(args, at())
    expect(code, stderr).toBe(0)
  }
})
afterAll(async () => {
  await project?.remove()
  await database?.drop()
})

/** Lines of a command on a terminal of so many columns. */
async function onTerminal(
  args: string[],
  columns: number,
  env: Record<string, string> = {},
): Promise<string[]> {
  const typed = [process.execPath, CLI, ...args, '--project', project.root].map((each) => `'${each}'`)
  const child = spawn('script', ['-qefc', typed.join(' '), '/dev/null'], {
    env: {
      ...process.env,
      NO_COLOR: '',
      ...at().env,
      REDIS_URL: '',
      COLUMNS: String(columns),
      TERM: 'xterm',
      ...env,
    },
  })
  const { stdout } = await ended(child)
  return stdout.replaceAll('\r', '').split('\n')
}
const slots = (lines: string[]) => lines.filter((line) => /^2026-03-02 .*(?:activity|value)/.test(line))

test('a table fits the terminal and says what it leaves out; states have a colour', async () => {
  const lines = await onTerminal(['status'], 60)
  expect(slots(lines).map((line) => line.includes('\u001b[32mpublished\u001b[0m'))).toEqual([true, true])
  expect(lines).toContain('left out, because the terminal is narrow: due; --json has all')
})

test('with NO_COLOR nothing has a colour, and in a pipe each row is one whole line without any', async () => {
  const lines = await onTerminal(['status'], 60, { NO_COLOR: '1' })
  expect(slots(lines)).toHaveLength(2)
  expect(slots(lines).join('')).not.toContain('\u001b')
  const { stdout } = await nightshift(['status'], at())
  expect(stdout).toMatch(/^2026-03-02 +scores +value +published +20 +\S{8} +\S+ \S+ UTC$/m)
  expect(stdout).not.toContain('\u001b')
})
