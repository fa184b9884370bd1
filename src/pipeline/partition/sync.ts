import { createHash } from 'node:crypto'
import { mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Waits until a file's bytes are on the disk: neither DuckDB's COPY nor a rename does. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Waits until a folder's names are on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Makes a folder and those above it, and syncs each one that is new within its parent. One by one: Node's recursive
 * mkdir says ENOENT where a disk is full or may only be read.
 */
export async function makeFolder(path: string): Promise<void> {
  const made = await mkdirUnlessThere(path).catch(async (error: unknown) => {
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    return await mkdirUnlessThere(path)
  })
  if (made) await syncFolder(dirname(path))
}

async function mkdirUnlessThere(path: string): Promise<boolean> {
  try {
    await mkdir(path)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST') && (await stat(path)).isDirectory()) return false
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

const CHUNK = 1 << 20

/** Sha256 (hex) and length of a file, read in pieces of 1 MB: about 1 GB a second where the processor helps. */
export async function hashFile(path: string): Promise<{ sha256: string; bytes: number }> {
  const handle = await open(path, 'r')
  try {
    const hash = createHash('sha256')
    const buffer = new Uint8Array(CHUNK)
    let bytes = 0
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, bytes)
      if (bytesRead === 0) return { sha256: hash.digest('hex'), bytes }
      hash.update(buffer.subarray(0, bytesRead))
      bytes += bytesRead
    }
  } finally {
    await handle.close()
  }
}

/** A piece of a file; shorter where the file ends before. */
export async function readBytes(path: string, position: number, length: number): Promise<Uint8Array> {
  const handle = await open(path, 'r')
  try {
    const bytes = new Uint8Array(length)
    const { bytesRead } = await handle.read(bytes, 0, length, position)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
