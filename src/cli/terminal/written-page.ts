import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, relative } from 'node:path'
import { bytes } from '../../format/sizes.ts'
import type { Project } from '../../project/project.ts'
import { printLine } from './print.ts'

export interface Written {
  /** Absolute. */
  file: string
  /** Relative to the project if the file is inside it. */
  path: string
  bytes: number
}

/** Writes a self-contained page, and the folders above it. */
export function writePage({ root }: Project, file: string, text: string): Written {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  const path = relative(root, file)
  const inside = !path.startsWith('..') && !isAbsolute(path)
  return { file, path: inside ? path : file, bytes: Buffer.byteLength(text) }
}

export function printWritten(written: Written, more?: string): void {
  const and = more === undefined ? '' : `; ${more}`
  printLine(`${written.file}: ${bytes(written.bytes)}, one self-contained file${and}`)
}
