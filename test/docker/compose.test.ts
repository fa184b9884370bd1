import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

const Service = z.object({
  image: z.string().optional(),
  user: z.string(),
  read_only: z.boolean(),
  cap_drop: z.array(z.string()),
  cap_add: z.never().optional(),
  privileged: z.never().optional(),
  network_mode: z.never().optional(),
  pid: z.never().optional(),
  security_opt: z.array(z.string()),
  tmpfs: z.array(z.string()),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  networks: z.array(z.string()).default(['default']),
  environment: z.record(z.string(), z.string()).default({}),
})
const Compose = z.object({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.unknown()),
  networks: z.record(z.string(), z.object({ internal: z.boolean() })),
})
const compose = Compose.parse(parse(read('docker-compose.yml'), { merge: true }))
const services = Object.entries(compose.services)

test.each(services)(
  '%s is a plain user without capabilities on a root that is not written to',
  (_, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    })
    expect(service.user).not.toMatch(/^(?:root|0)(?::|$)/)
  },
)

test('the host reaches the pages and the mails alone, and only from itself', () => {
  const open = services.filter(([, { ports }]) => ports.length > 0)
  expect(open.map(([name, { ports }]) => [name, ports])).toEqual([
    ['mail', ['127.0.0.1:8025:8025']],
    ['web', ['127.0.0.1:8080:8080']],
  ])
  expect(compose.networks.data).toEqual({ internal: true })
  for (const name of ['postgres', 'redis']) expect(compose.services[name]?.networks).toEqual(['data'])
})

test('the files of the project are only read, and what is written lies in volumes', () => {
  for (const name of ['scheduler', 'worker', 'web']) {
    const volumes = compose.services[name]?.volumes ?? []
    expect(volumes).toEqual(['.:/project:ro', 'warehouse:/project/warehouse', 'state:/project/.nightshift'])
  }
  const named = services.flatMap(([, { volumes }]) => volumes.map((volume) => volume.split(':')[0] ?? ''))
  expect([...new Set(named)].filter((name) => name !== '.').sort()).toEqual(
    Object.keys(compose.volumes).sort(),
  )
})

test('no password stands in the file', () => {
  const text = read('docker-compose.yml')
  expect(text).not.toMatch(/PASSWORD: (?!\$\{)/)
  expect(text.match(/\/\/[^\s/]*:[^$\s][^\s/]*@/g)).toBeNull()
  for (const [, service] of services) {
    for (const [name, value] of Object.entries(service.environment)) {
      if (/PASSWORD|AUTH$|_URL$/.test(name) && name !== 'SMTP_URL')
        expect(value, name).toMatch(/\$\{\w+:\?run docker\/prepare first\}/)
    }
  }
})

test('the image has a plain user and the current LTS of Node', () => {
  const lines = read('Dockerfile').split('\n')
  const last = lines.findLastIndex((line) => line.startsWith('FROM '))
  expect(
    lines.filter((line) => line.startsWith('FROM ')).every((line) => line.startsWith('FROM node:24-')),
  ).toBe(true)
  const user = lines.findIndex((line, at) => at > last && line === 'USER node')
  expect(user).toBeGreaterThan(last)
  expect(user).toBeLessThan(lines.findIndex((line) => line.startsWith('ENTRYPOINT')))
  expect(read('.dockerignore').split('\n')).toEqual(expect.arrayContaining(['.env', '.nightshift', '.git']))
  expect(read('.gitignore').split('\n')).toContain('.env')
})

test('docker/prepare makes passwords that only their owner reads, once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-prepare-'))
  try {
    cpSync(join(ROOT, 'docker'), join(folder, 'docker'), { recursive: true })
    writeFileSync(join(folder, '.env'), 'NIGHTSHIFT_METRICS_TOKEN=mine\n', { mode: 0o644 })
    const prepare = () => spawnSync('sh', [join(folder, 'docker/prepare')], { encoding: 'utf8' })
    const { status, stdout } = prepare()
    expect(status).toBe(0)
    const env = readFileSync(join(folder, '.env'), 'utf8')
    const [, postgres = '', redis = ''] =
      /^NIGHTSHIFT_METRICS_TOKEN=mine\nPOSTGRES_PASSWORD=([0-9a-f]{64})\nREDIS_PASSWORD=([0-9a-f]{64})\n$/.exec(
        env,
      ) ?? []
    expect(postgres).not.toBe('')
    expect(postgres).not.toBe(redis)
    expect(stdout).not.toMatch(/[0-9a-f]{16}/)
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, '.nightshift')).mode & 0o777).toBe(0o700)
    expect(existsSync(join(folder, 'warehouse'))).toBe(true)
    expect(prepare().status).toBe(0)
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(env)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
