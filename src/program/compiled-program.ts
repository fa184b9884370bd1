import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { Script } from 'node:vm'
import { crc32 } from 'node:zlib'
import { ownFile } from './own-files.ts'

/** The program in one file, below `dist`: its name changes with its text. build/build.js puts it here. */
declare const COMPILED_PROGRAM: string

/** V8's code of one program, by what was run: each holds the functions that such a run calls. */
const FOLDER = '.code'

/** A run that took longer holds code that others do not need. */
const LONGEST_MS = 60_000

/** The program, loaded, and how its code is kept for the next process that runs the same. */
export interface Loaded {
  /** What the module `cli/command-line.ts` exports. */
  exports: unknown
  /** Writes the code that this process has compiled, unless it was known. Where nothing can be written, nothing happens. */
  keepCode(): void
}

/**
 * Loads the bundled program. To parse and compile it takes longer than most commands, so V8's code of an earlier run is
 * used where this Node made it for this text (`vm.Script`, `cachedData`). It lies beside the program: who can write
 * there can change the program as well. `run` names what is called, such as `status`.
 */
export function loadProgram(run: string): Loaded {
  const file = ownFile(COMPILED_PROGRAM)
  const path = join(
    ownFile(FOLDER),
    `${run}-${process.version}-${process.arch}-${basename(file, '.cjs').split('-').at(-1)}`,
  )
  const cachedData = knownCode(path)
  // esbuild writes ASCII, except in tagged templates, of which pages are made.
  const script = new Script(readFileSync(file, 'utf8'), {
    filename: file,
    ...(cachedData && { cachedData }),
  })
  const module = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file))
  const isKnown = cachedData !== undefined && script.cachedDataRejected !== true
  return {
    exports: module.exports,
    keepCode() {
      // Options of Node may change the code that V8 accepts: a debugger or a profiler leaves it as it is.
      const isPlain = process.execArgv.length === 0 && process.env.NODE_OPTIONS === undefined
      if (!isKnown && isPlain && performance.now() < LONGEST_MS) write(path, script.createCachedData())
    },
  }
}

/** V8 does not check that the bytes are those that it wrote. */
function knownCode(path: string): Buffer | undefined {
  try {
    const bytes = readFileSync(path)
    const code = bytes.subarray(4)
    return bytes.readUInt32LE(0) === crc32(code) ? code : undefined
  } catch {
    return undefined
  }
}

function write(path: string, code: Buffer): void {
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(crc32(code))
  const fresh = `${path}.new-${process.pid}`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    writeFileSync(fresh, Buffer.concat([sum, code]), { mode: 0o644 })
    renameSync(fresh, path)
  } catch {
    rmSync(fresh, { force: true })
  }
}
