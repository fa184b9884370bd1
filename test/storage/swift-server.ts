import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../alerts/mail-server.ts'

const SERVERS = ['account', 'container', 'object', 'proxy'] as const

export const hasSwift = SERVERS.every((name) => spawnSync('which', [`swift-${name}-server`]).status === 0)
if (!hasSwift)
  console.warn(
    'skipped: OpenStack Swift is not installed (swift-proxy, swift-account, swift-container, swift-object)',
  )

const PIPELINE = [
  'catch_errors',
  'cache',
  'listing_formats',
  'bulk',
  's3api',
  'tempauth',
  'copy',
  'slo',
  'dlo',
]

/** OpenStack Swift on one disk, which speaks S3 by its middleware: code that shares nothing with the other server of tests. */
export async function startSwift(): Promise<{ env: Record<string, string>; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-swift-'))
  mkdirSync(join(folder, 'disks/d1'), { recursive: true })
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const policies = '[storage-policy:0]\nname = one\ndefault = yes\n'
  write('swift.conf', `[swift-hash]\nswift_hash_path_suffix = nightshift\n${policies}`)
  const ports = new Map<string, number>()
  for (const name of SERVERS) {
    const port = await freePort()
    ports.set(name, port)
    const common = `bind_ip = 127.0.0.1\nbind_port = ${port}\nworkers = 0\nuser = ${process.env.USER ?? 'root'}\nswift_dir = ${folder}\n`
    if (name === 'proxy') {
      const filters = PIPELINE.map(
        (each) => `[filter:${each}]\n${FILTERS[each] ?? `use = egg:swift#${each}\n`}`,
      )
      const app = '[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n'
      const pipeline = `[pipeline:main]\npipeline = ${PIPELINE.join(' ')} proxy-server\n`
      write('proxy.conf', `[DEFAULT]\n${common}${pipeline}${app}${filters.join('')}`)
    } else {
      const app = `[app:${name}-server]\nuse = egg:swift#${name}\n`
      const disks = `devices = ${join(folder, 'disks')}\nmount_check = false\n`
      write(`${name}.conf`, `[DEFAULT]\n${common}${disks}[pipeline:main]\npipeline = ${name}-server\n${app}`)
      ring(folder, name, port)
    }
  }
  const servers: ChildProcess[] = SERVERS.map((name) =>
    spawn(`swift-${name}-server`, [join(folder, `${name}.conf`)], { stdio: 'ignore' }),
  )
  const close = async () => {
    const over = servers.map((server) => once(server, 'exit'))
    for (const server of servers) server.kill('SIGKILL')
    await Promise.all(over)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    for (const port of ports.values()) await answering(port)
  } catch (error) {
    await close()
    throw error
  }
  return {
    env: {
      AWS_ACCESS_KEY_ID: 'test:tester',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${ports.get('proxy')}`,
    },
    close,
  }
}

const FILTERS: Record<string, string> = {
  cache: 'use = egg:swift#memcache\nmemcache_servers = 127.0.0.1:1\n',
  s3api: 'use = egg:swift#s3api\nlocation = us-east-1\n',
  tempauth: 'use = egg:swift#tempauth\nuser_test_tester = testing .admin\n',
}

function ring(folder: string, name: string, port: number): void {
  const file = join(folder, `${name}.builder`)
  for (const args of [['create', '4', '1', '0'], ['add', `r1z1-127.0.0.1:${port}/d1`, '1'], ['rebalance']]) {
    const { status, stderr, stdout } = spawnSync('swift-ring-builder', [file, ...args], { encoding: 'utf8' })
    // 1: a warning.
    if (status !== 0 && status !== 1) throw new Error(`${stdout}${stderr}`)
  }
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const isOpen = await new Promise<boolean>((done) => {
      const socket = createConnection({ host: '127.0.0.1', port }, () => {
        socket.destroy()
        done(true)
      })
      socket.once('error', () => done(false))
    })
    if (isOpen) return
    await new Promise((again) => setTimeout(again, 100))
  }
  throw new Error(`nothing answers at port ${port}`)
}
