import { createHash } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import { buildId } from '../../program/own-files.ts'
import { readKept, writeKept } from './kept-file.ts'

/**
 * What an earlier command of this build has found out about the project's files: a function of a text and of the build
 * alone. To parse and check one file takes 7 ms, the calendar of a schedule 40 ms.
 */
export interface KnownFiles {
  /** `kind` names what the text is read as, such as `models`. */
  find(kind: string, text: string): unknown
  add(kind: string, text: string, found: unknown): void
  /** Keeps what was found or added for the next command. Where nothing can be written, that reads the files itself. */
  save(): void
}

const NAME = 'read-files'

/** Where the sources run, as in tests, nothing is known: there is no name for what they are. */
export function openKnownFiles(root: string): KnownFiles {
  const build = buildId()
  if (build === undefined) return { find: () => undefined, add: () => {}, save: () => {} }
  const before = readKnown(root)
  const now = new Map<string, unknown>()
  const keyOf = (kind: string, text: string) =>
    createHash('sha256').update(`${build}\n${kind}\n`).update(text).digest('base64')
  return {
    find(kind, text) {
      const key = keyOf(kind, text)
      const found = before.get(key)
      if (found !== undefined) now.set(key, found)
      return found
    },
    add(kind, text, read) {
      now.set(keyOf(kind, text), read)
    },
    save() {
      const isSame = now.size === before.size && [...now.keys()].every((key) => before.has(key))
      if (!isSame) writeKept(root, NAME, serialize(now))
    },
  }
}

function readKnown(root: string): Map<string, unknown> {
  const bytes = readKept(root, NAME)
  if (bytes === undefined) return new Map()
  try {
    const read: unknown = deserialize(bytes)
    return read instanceof Map ? read : new Map()
  } catch {
    // Of another Node.
    return new Map()
  }
}
