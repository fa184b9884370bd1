import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

// A bundle puts this module into a file of another name and depth, so nothing is looked up relative to it.
const ROOT = packageRoot(import.meta.dirname)
/** `src` where the sources run, else `dist`: files that are no modules lie in both at the same paths. */
const MODULES = join(ROOT, relative(ROOT, import.meta.dirname).split(sep)[0] === 'src' ? 'src' : 'dist')

/** The path of a file of this package, such as `schemas/view.schema.json`. */
export function packageFile(path: string): string {
  return join(ROOT, path)
}

/** The path of a file or folder that lies among the modules, such as `ledger/migrations`. */
export function ownFile(path: string): string {
  return join(MODULES, path)
}

/** The path of a program that is started as a process or a thread, such as `cli.js`. Always the compiled one. */
export function ownProgram(path: string): string {
  return join(ROOT, 'dist', path)
}

/** Nightshift's own version. */
export function ownVersion(): string {
  const found: unknown = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'))
  return typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : 'unknown'
}

let build: string | undefined

/** Tells this build from others: its main program names all of its parts by their contents. Undefined where the sources run. */
export function buildId(): string | undefined {
  if (MODULES === join(ROOT, 'src')) return undefined
  build ??= readFileSync(ownProgram('cli.js'), 'utf8')
  return build
}

function packageRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error(`expected package.json of nightshift above ${import.meta.dirname}`)
  return packageRoot(parent)
}
