import { spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
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

/** Location of a project's embedded server, and the user that runs it. */
export interface ServerLocation {
  /** `<root>/.nightshift/postgres`: the README, and for a plain user everything else. */
  note: string
  /** Contains `cluster/`, and `new-*` folders while one is being created. */
  folder: string
  /** Complete or absent: `data/`, `password`, `server.log`. */
  cluster: string
  data: string
  /** The user that runs the server; undefined: ours. PostgreSQL refuses to run as root. */
  user: { uid: number; gid: number } | undefined
  /** Folder for a copy of the programs that `user` can access; undefined: they run where they are installed. */
  programs: string | undefined
}

/**
 * Folders accessible to all users, for a server started by root: root's home is not accessible to the server's user.
 * The first one that is writable, or that already contains the project's server, is used.
 */
export const SHARED = ['/var/lib/nightshift', '/var/tmp/nightshift']

const OWNER_ALONE = { mode: 0o600 }

/** The project that a folder under SHARED belongs to, stored next to the README. */
const Claim = z.object({ root: z.string(), folder: z.string() })

/** Determines the location of the project's server and creates the folders. */
export function chooseLocation(root: string): ServerLocation {
  const project = realpathSync(root)
  const note = makeFolder(project)
  return process.getuid?.() === 0 ? locationForRoot(project, note) : locationForUser(project, note)
}

function locationForUser(project: string, note: string): ServerLocation {
  const { uid } = statSync(note)
  const claim = uid === process.getuid?.() ? claimOf(note) : undefined
  const byRoot = claim !== undefined && existsSync(claim.folder) && !existsSync(join(note, 'cluster'))
  if (byRoot || uid !== process.getuid?.())
    throw madeBy(byRoot || uid === 0 ? 'root' : `user ${uid}`, project)
  const location = { note, ...inside(note), user: undefined, programs: undefined }
  writeReadme(location)
  return location
}

function madeBy(who: string, project: string): ConfigurationError {
  return new ConfigurationError(
    `the database of ${project} was created by ${who}: run this command as ${who} too, ` +
      'or set DATABASE_URL to a PostgreSQL server that both can use',
  )
}

function locationForRoot(project: string, note: string): ServerLocation {
  const own = inside(note)
  if (existsSync(own.data)) {
    // A plain user's project: the same server is used for root, so that there is only one ledger.
    const { uid, gid } = statSync(own.data)
    if (uid !== 0) return { note, ...own, user: { uid, gid }, programs: writableShared() }
  }
  const claim = claimOf(note)
  const folder = claim === undefined ? freshFolder(project, note) : claimedFolder(claim, project, note)
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  chmodSync(folder, 0o755)
  if (claim?.root !== project || claim.folder !== folder) {
    writeClaim(note, { root: project, folder })
    // Shows a person who finds the folder which project it belongs to.
    writeFileSync(join(folder, 'project'), `${project}\n`)
  }
  const paths = inside(folder)
  const user = existsSync(paths.data) ? statSync(paths.data) : serverUser()
  const location = {
    note,
    ...paths,
    user: { uid: user.uid, gid: user.gid },
    programs: join(folder, '..'),
  }
  writeReadme(location)
  return location
}

function inside(folder: string): Pick<ServerLocation, 'folder' | 'cluster' | 'data'> {
  return { folder, cluster: join(folder, 'cluster'), data: join(folder, 'cluster', 'data') }
}

/**
 * Named after the project's path and an id stored in the project: commands that start at the same time agree on it,
 * and a project cloned to the path of a deleted one does not get the ledger of that one.
 */
function freshFolder(project: string, note: string): string {
  const name = createHash('sha256')
    .update(`${project}\n${idOf(note)}`)
    .digest('hex')
    .slice(0, 16)
  const existing = SHARED.map((shared) => join(shared, name)).find((folder) => existsSync(folder))
  return existing ?? join(writableShared(), name)
}

function idOf(note: string): string {
  const file = join(note, 'id')
  const partial = `${file}.${process.pid}`
  try {
    writeFileSync(partial, `${randomUUID()}\n`, OWNER_ALONE)
    linkSync(partial, file)
  } catch (error) {
    if (!existsSync(file)) throw error
  } finally {
    rmSync(partial, { force: true })
  }
  return readFileSync(file, 'utf8').trim()
}

/** The folder that a project has claimed: kept if the project was moved, not shared if it was copied. */
function claimedFolder(claim: z.infer<typeof Claim>, project: string, note: string): string {
  if (claim.root === project) return claim.folder
  const original = claimOf(join(claim.root, PRIVATE, 'postgres'))
  return original?.folder === claim.folder ? freshFolder(project, note) : claim.folder
}

export function claimOf(note: string): z.infer<typeof Claim> | undefined {
  const file = join(note, 'place.json')
  if (!existsSync(file)) return undefined
  return Claim.parse(JSON.parse(readFileSync(file, 'utf8')))
}

function writeClaim(note: string, claim: z.infer<typeof Claim>): void {
  const partial = join(note, `place.json.${process.pid}`)
  writeFileSync(partial, `${JSON.stringify(claim, null, 2)}\n`, OWNER_ALONE)
  renameSync(partial, join(note, 'place.json'))
}

function writableShared(): string {
  for (const folder of SHARED) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o755 })
      accessSync(folder, constants.W_OK)
      // /var/tmp is writable for everyone: a folder created there by another user is not trusted.
      if (statSync(folder).uid !== 0) continue
      chmodSync(folder, 0o755)
      return folder
    } catch {
      // read-only or missing: try the next one
    }
  }
  throw new ConfigurationError(
    `expected one of ${SHARED.join(', ')} to be writable, for the embedded database that root starts: ` +
      'make one writable, run as another user, or set DATABASE_URL to a PostgreSQL server',
  )
}

/** `postgres`, created if missing and possible, otherwise `nobody`. */
function serverUser(): { uid: number; gid: number } {
  const existing = accountOf('postgres')
  if (existing !== undefined) return existing
  spawnSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], { stdio: 'ignore' })
  return accountOf('postgres') ?? accountOf('nobody') ?? { uid: 65534, gid: 65534 }
}

function accountOf(name: string): { uid: number; gid: number } | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

function makeFolder(project: string): string {
  const folder = join(project, PRIVATE, 'postgres')
  try {
    privateFolder(project, 'postgres')
    accessSync(folder, constants.W_OK)
    return folder
  } catch (error) {
    const owner = statSync(join(project, PRIVATE), { throwIfNoEntry: false })?.uid
    if (owner !== undefined && owner !== process.getuid?.())
      throw madeBy(owner === 0 ? 'root' : `user ${owner}`, project)
    throw new ConfigurationError(
      `expected ${folder} to be writable, for the embedded database: make it writable, ` +
        'or set DATABASE_URL to a PostgreSQL server',
      { cause: error },
    )
  }
}

function writeReadme(location: ServerLocation): void {
  const file = join(location.note, 'README')
  const text = `The database of this project: its ledger of slots, runs, versions and mails. Do not delete it.

data      ${location.data}
log       ${join(location.cluster, 'server.log')}
password  ${join(location.cluster, 'password')} (of the user nightshift, on 127.0.0.1)
port      the fourth line of ${join(location.data, 'postmaster.pid')}, while it runs

The first nightshift command starts this PostgreSQL server, and it stops some ten seconds after the last one has
ended. Set DATABASE_URL to use a server of your own instead.
`
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return
  writeFileSync(file, text, OWNER_ALONE)
}
