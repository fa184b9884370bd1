import {
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { PRIVATE, privateFolder } from '../../project/files/private-folder.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { shownWarehouse } from '../../project/object-path.ts'
import { fetchFile } from '../../storage/warehouse-copy.ts'
import { isStored, sendFile } from '../../storage/warehouse-files.ts'

/** Beside the project's files, and in its warehouse, which all machines share. */
const OWN = 'project.json'
const IN_WAREHOUSE = '.project.json'

const Id = z.string().regex(/^[a-z0-9]{8,40}$/)
const Own = z.object({ id: Id, root: z.string() })
/** `folder`: the inode of the warehouse, which is the same on all machines that share it, and another in a copy. */
const Shared = z.object({ id: Id, folder: z.string() })

/**
 * The identity that this folder has kept; undefined where it has none, or where the folder is a copy of one that is still
 * there: a copy is another project.
 */
export function readOwn(root: string): string | undefined {
  const own = read(join(root, PRIVATE, OWN), Own)
  if (own === undefined) return undefined
  const here = realpathSync(root)
  if (own.root === here || !isOtherFolder(own.root, here)) return own.id
  return read(join(own.root, PRIVATE, OWN), Own)?.id === own.id ? undefined : own.id
}

/** One folder may be seen under two paths. */
function isOtherFolder(a: string, b: string): boolean {
  const [x, y] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }))
  return x !== undefined && y !== undefined && !(x.dev === y.dev && x.ino === y.ino)
}

/** Keeps the identity. A folder that cannot be written to has it in the ledger and in the warehouse all the same. */
export function keepOwn(root: string, id: string): void {
  const here = realpathSync(root)
  const file = join(root, PRIVATE, OWN)
  const own = read(file, Own)
  if (own?.id === id && own.root === here) return
  attempt(() => {
    privateFolder(root)
    const partial = `${file}.${process.pid}`
    writeFileSync(partial, `${JSON.stringify({ id, root: here })}\n`, { mode: 0o600 })
    renameSync(partial, file)
  })
}

/**
 * The identity of the project whose warehouse this is: how other machines know it, which share the warehouse alone.
 * Undefined where there is none, or where the warehouse is a copy of that one.
 */
export async function readShared(warehouse: string): Promise<string | undefined> {
  const shared = read(await fetchFile(join(warehouse, IN_WAREHOUSE)), Shared)
  return shared !== undefined && shared.folder === folderOf(warehouse) ? shared.id : undefined
}

/** A copied bucket has another name, a copied folder another inode. */
function folderOf(warehouse: string): string | undefined {
  return isStored(warehouse) ? shownWarehouse(warehouse) : inodeOf(warehouse)
}

function inodeOf(folder: string): string | undefined {
  return statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino.toString()
}

/** Writes the identity into the warehouse, unless there is one already. Returns the one that is there now. */
export async function claimWarehouse(
  warehouse: string,
  id: string,
  { make }: { make: boolean },
): Promise<string> {
  const shared = await readShared(warehouse)
  if (shared !== undefined) return shared
  if (isStored(warehouse)) await claimBucket(warehouse, id)
  else claimFolder(warehouse, id, { make })
  return (await readShared(warehouse)) ?? id
}

/** Of two at once, one writes it where the storage knows conditions; else the last, and the other finds out from the ledger. */
async function claimBucket(warehouse: string, id: string): Promise<void> {
  const file = join(warehouse, IN_WAREHOUSE)
  mkdirSync(warehouse, { recursive: true })
  writeFileSync(file, `${JSON.stringify({ id, folder: folderOf(warehouse) })}\n`)
  await sendFile(file)
}

function claimFolder(warehouse: string, id: string, { make }: { make: boolean }): void {
  const file = join(warehouse, IN_WAREHOUSE)
  attempt(() => {
    if (make) mkdirSync(warehouse, { recursive: true })
    const partial = `${file}.${process.pid}`
    try {
      writeFileSync(partial, `${JSON.stringify({ id, folder: inodeOf(warehouse) })}\n`)
      // That of another warehouse, which was copied along.
      const shared = read(file, Shared)
      if (shared?.folder !== inodeOf(warehouse)) rmSync(file, { force: true })
      // Fails where it is there: of two at once, one has made it.
      linkSync(partial, file)
    } finally {
      rmSync(partial, { force: true })
    }
  })
}

function attempt(write: () => void): void {
  try {
    write()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}

function read<T>(file: string, schema: z.ZodType<T>): T | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return undefined
    throw error
  }
  const parsed = schema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw new ConfigurationError(
    `${file}: expected the identity of the project as nightshift has written it, got something else: remove the file, then nightshift adopt`,
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
