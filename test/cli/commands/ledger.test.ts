import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'
import { nightshift, nightshiftJson } from '../nightshift.ts'

let databases: FreshDatabase[]
let project: TemporaryProject
const at = (index: number) => ({ project: project.root, env: { DATABASE_URL: databases[index]?.url ?? '' } })
beforeAll(async () => {
  databases = [await freshDatabase(), await freshDatabase()]
  project = await generatedProject()
})
afterAll(async () => {
  await project?.remove()
  for (const each of databases) await each.drop()
})

test('a ledger is copied, lost, noticed by doctor, and restored', async () => {
  const first = at(0)
  const registered = await nightshift(
    ['register', 'value', join(project.root, 'model.onnx'), '--as-of', '2026-03-02'],
    first,
  )
  expect(registered.code, registered.stderr).toBe(0)
  const refreshed = await nightshift(['refresh', 'activity', '--as-of', '2026-03-02'], first)
  expect(refreshed.code, refreshed.stderr).toBe(0)
  const file = join(project.root, 'copy.gz')
  const dumped = await nightshift(['ledger', 'dump', file], first)
  expect([dumped.code, dumped.stdout]).toEqual([0, expect.stringMatching(/copy\.gz: \d+ rows, /)])
  expect(await nightshift(['ledger', 'dump', file], first)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('which is there'),
  })

  // Another, empty database: the partitions are there, and nobody knows what they are.
  const second = at(1)
  const lost = await nightshift(['doctor'], second)
  expect(lost.code).toBe(1)
  expect(lost.stdout).toMatch(
    /WRONG {2}ledger +it is empty, but the warehouse has partitions of activity:.*nightshift ledger restore FILE/,
  )
  const restored = await nightshift(['ledger', 'restore', file], second)
  expect(restored.code, restored.stderr).toBe(0)
  const { json } = await nightshiftJson(['versions', 'value'], second)
  expect(json).toHaveLength(1)
  expect((await nightshift(['doctor'], second)).stdout).toMatch(/ok +ledger +it knows nights of activity/)
  expect(await nightshift(['ledger', 'restore', file], second)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected an empty ledger'),
  })
})

test('what is not legal is refused with what is', async () => {
  expect((await nightshift(['ledger', 'lss'], at(0))).stderr).toContain(
    'expected ls, dump, restore, rm, got: lss; did you mean ls?',
  )
  expect((await nightshift(['ledger', 'dump'], at(0))).stderr).toContain('ledger dump: expected FILE')
  expect((await nightshift(['ledger', 'rm', 'nope'], at(0))).stderr).toContain(
    'expected one of nightshift ledger ls',
  )
  expect((await nightshift(['completion', 'fsh'], at(0))).stderr).toContain(
    'expected bash, zsh, fish, got: fsh; did you mean zsh?',
  )
})

/** A folder with the program under its name, in front of the others. */
function installed(): { PATH: string } {
  const bin = join(project.root, 'bin')
  mkdirSync(bin, { recursive: true })
  const program = join(bin, 'nightshift')
  writeFileSync(
    program,
    `#!/bin/sh\nexec "${process.execPath}" "${resolve(import.meta.dirname, '../../../dist/cli.js')}" "$@"\n`,
  )
  chmodSync(program, 0o755)
  return { PATH: `${bin}:${process.env.PATH}` }
}

test('bash completes commands, options, models and views as they are in the project', async () => {
  const env = { ...process.env, ...installed() }
  const completed = (...words: string[]) => {
    const script = `eval "$(nightshift completion bash)"
COMP_WORDS=(nightshift ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
_nightshift nightshift; printf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', script], {
      cwd: project.root,
      encoding: 'utf8',
      env,
    })
      .trim()
      .split('\n')
  }
  expect(completed('back')).toEqual(['backfill', 'backfills'])
  expect(completed('run', '')).toEqual(['value'])
  expect(completed('refresh', 'a')).toEqual(['activity'])
  expect(completed('run', 'value', '--as-of', '')).toEqual(['latest', 'yesterday', 'today'])
  expect(completed('--project', project.root, 'evaluate', 'value', '--d')).toEqual(['--dataset', '--debug'])
  expect(completed('drill', 'value', 'r')).toEqual(['rollback'])
  // A file is meant: the shell's own completion takes over.
  expect(completed('register', 'value', '')).toEqual([''])
})

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0

test.skipIf(!has('zsh'))('a zsh that has loaded no completion yet loads it, and keeps ours', () => {
  const script = 'eval "$(nightshift completion zsh)"; print -- $_comps[nightshift]'
  const home = { HOME: project.root, ZDOTDIR: project.root }
  const env = { ...process.env, ...installed(), ...home }
  const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', script], {
    cwd: project.root,
    encoding: 'utf8',
    env,
  })
  expect({ stdout, stderr }).toEqual({ stdout: '_nightshift\n', stderr: '' })
})

test.skipIf(!has('fish'))('fish completes commands and models', () => {
  const script =
    "nightshift completion fish | source; complete -C 'nightshift backfill'; complete -C 'nightshift run v'"
  const env = { ...process.env, ...installed(), HOME: project.root }
  const { stdout } = spawnSync('fish', ['-c', script], { cwd: project.root, encoding: 'utf8', env })
  expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([
    'backfill',
    'backfills',
    'value',
    '',
  ])
})
