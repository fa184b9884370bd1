import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { copyProgram, GUARDS, withoutGuard } from './guards.ts'

const ROOT = resolve(import.meta.dirname, '../..')

test.each(GUARDS)('$name can be taken away from the program, and there is a checker for it', (guard) => {
  const code = readFileSync(join(ROOT, 'src', guard.file), 'utf8')
  const broken = withoutGuard(code, guard)
  expect(broken).not.toBe(code)
  expect(() => withoutGuard(broken, guard)).toThrow('found it 0 times')
  expect(readFileSync(join(ROOT, guard.checker.file), 'utf8')).toContain(guard.checker.name)
})

test('a program without a guard is one that runs', () => {
  const [guard] = GUARDS
  const program = copyProgram(guard)
  try {
    const tried = spawnSync(process.execPath, [join(program.dist, 'cli.js'), '--help'], { encoding: 'utf8' })
    expect(tried.status, tried.stderr).toBe(0)
  } finally {
    program.remove()
  }
})
