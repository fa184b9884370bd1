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
export function readShared(warehouse: string): string | undefined {
  const shared = read(join(warehouse, IN_WAREHOUSE), Shared)
  return shared !== undefined && shared.folder === inodeOf(warehouse) ? shared.id : undefined
}

function inodeOf(folder: string): string | undefined {
  return statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino.toString()
}

/** Writes the identity into the warehouse, unless there is one already. Returns the one that is there now. */
export function claimWarehouse(warehouse: string, id: string, { make }: { make: boolean }): string {
  const file = join(warehouse, IN_WAREHOUSE)
  attempt(() => {
    if (make) mkdirSync(warehouse, { recursive: true })
    const partial = `${file}.${process.pid}`
    try {
      writeFileSync(partial, `${JSON.stringify({ id, folder: inodeOf(warehouse) })}\n`)
      // That of another warehouse, which was copied along.
      if (readShared(warehouse) === undefined) rmSync(file, { force: true })
      // Fails where it is there: of two at once, one has made it.
      linkSync(partial, file)
    } finally {
      rmSync(partial, { force: true })
    }
  })
  return readShared(warehouse) ?? id
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
