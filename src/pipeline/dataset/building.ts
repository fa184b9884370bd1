import { mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../partition/sync.ts'

/** Where a training set is built, beside those that are finished; nothing is left of it once it is removed. */
export interface Building {
  path: string
  remove(): Promise<void>
}

/** Makes the folder of training sets where it is missing, and one to build in below it. */
export async function openBuilding(datasets: string): Promise<Building> {
  await makeFolder(datasets)
  const folder = await realpath(datasets)
  const path = await mkdtemp(join(folder, '.building-'))
  await sweep(folder, path)
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

const DAY_MS = 86_400_000

/** What builds have left behind that were killed: a folder that was not touched in the day before ours is not at work. */
async function sweep(folder: string, own: string): Promise<void> {
  const { mtimeMs: now } = await stat(own)
  for (const name of await readdir(folder)) {
    if (!name.startsWith('.building-')) continue
    const left = join(folder, name)
    const found = await stat(left).catch(() => undefined)
    if (found === undefined || now - found.mtimeMs < DAY_MS) continue
    await rm(left, { recursive: true, force: true })
  }
}
