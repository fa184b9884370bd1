import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { PRIVATE } from './private-folder.ts'

/** What one command keeps for the next, below `.nightshift`: it may be lost at any time. Undefined if absent or damaged. */
export function readKept(root: string, name: string): Buffer | undefined {
  try {
    const bytes = readFileSync(join(root, PRIVATE, name))
    const content = bytes.subarray(4)
    return bytes.readUInt32LE(0) === crc32(content) ? content : undefined
  } catch {
    return undefined
  }
}

/** Replaces what is kept. Where nothing can be written, or no `.nightshift` is there yet, nothing happens. */
export function writeKept(root: string, name: string, content: Buffer): void {
  if (!existsSync(join(root, PRIVATE))) return
  const path = join(root, PRIVATE, name)
  const fresh = `${path}.${process.pid}`
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(crc32(content))
  try {
    writeFileSync(fresh, Buffer.concat([sum, content]), { mode: 0o600 })
    renameSync(fresh, path)
  } catch {
    rmSync(fresh, { force: true })
  }
}
