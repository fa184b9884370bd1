import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { openProject } from '../../../src/project/files/load-project.ts'
import { promote } from '../../../src/registry/champion.ts'
import { registered } from '../../workers/registered.ts'
import { path } from './failing-project.ts'
import type { Ground } from './ground.ts'

const BY = 'ann@example.com'

/** Registers a version, without a look at its quality. */
export function register(
  ground: Ground,
  given: { model?: string; view?: string; bytes: Uint8Array },
): Promise<number> {
  const project = openProject(ground.project.root)
  return registered(ground.life.database, project, { model: 'value', view: 'activity', ...given })
}

/** Makes a version live, whatever the gate says. */
export async function live(ground: Ground, version: number, model = 'value'): Promise<void> {
  const expected = await ground.champion(model)
  if (expected === version) return
  await promote(ground.life.database, {
    model,
    version,
    expected,
    by: BY,
    reason: null,
    event: 'promoted',
  })
}

const fileOf = (ground: Ground, version: number) =>
  path(ground, `warehouse/models/value/${version}/model.onnx`)

/** Spoils a version's file; what it was is kept beside it. */
export function spoil(ground: Ground, version: number): void {
  const file = fileOf(ground, version)
  if (existsSync(`${file}.kept`)) return
  copyFileSync(file, `${file}.kept`)
  rmSync(file)
  writeFileSync(file, 'not a model')
}

/** As if a file that no runtime opens had been registered. */
export async function registeredSpoilt(ground: Ground, version: number): Promise<void> {
  spoil(ground, version)
  await nameHash(ground, version)
}

export async function unregisteredSpoilt(ground: Ground, version: number): Promise<void> {
  unspoil(ground, version)
  await nameHash(ground, version)
}

/** The ledger's hash of a version is that of its file, as it is now. */
async function nameHash(ground: Ground, version: number): Promise<void> {
  const sha256 = createHash('sha256')
    .update(readFileSync(fileOf(ground, version)))
    .digest('hex')
  await ground.life.database.pool.query(
    `update nightshift.versions set sha256 = $1 where model = 'value' and version = $2`,
    [sha256, version],
  )
}

/** Takes a version's file away, until `unspoil`. */
export function take(ground: Ground, version: number): void {
  renameSync(fileOf(ground, version), `${fileOf(ground, version)}.kept`)
}

export function unspoil(ground: Ground, version: number): void {
  const file = fileOf(ground, version)
  if (existsSync(`${file}.kept`)) renameSync(`${file}.kept`, file)
}
