import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { killed } from '../children.ts'
import { ACTIVITY, path, QUERY, restored, write } from '../failing-project.ts'
import type { Ground } from '../ground.ts'
import type { Scene } from '../scene.ts'

/** Keeps millions of values at once, which cannot be spilled. */
const GREEDY = `SELECT e.customer_id, len(list(f.amount ORDER BY f.amount))::FLOAT AS spend, count(*)::FLOAT AS orders
FROM events e, events f, events g, events h, events i, events j GROUP BY e.customer_id
`
const SETTINGS = 'nightshift.yaml'
const settings = (ground: Ground) =>
  readFileSync(path(ground, SETTINGS), 'utf8').replace(/^memory: .*\n/m, '')

export const RESOURCE_SCENES: Scene[] = [
  {
    kind: 'resource',
    cause: 'the output cannot be moved into place',
    subject: ACTIVITY,
    async make(ground, night) {
      writeFileSync(path(ground, `warehouse/features/activity/as_of=${night}`), 'in the way')
      await ground.ask(ACTIVITY, night).catch(() => {})
      await ground.until(async () => (await ground.open(ACTIVITY)).length > 0)
      await ground.pass(2)
    },
    mend: (ground, night) =>
      rmSync(path(ground, `warehouse/features/activity/as_of=${night}`), { force: true }),
  },
  {
    kind: 'resource',
    cause: 'the time ran out',
    subject: ACTIVITY,
    make: (ground, night) => ground.ask(ACTIVITY, night, { timeoutMs: 1 }),
  },
  {
    kind: 'resource',
    cause: 'the memory ran out',
    subject: ACTIVITY,
    async make(ground, night) {
      await write(ground, QUERY, GREEDY)
      await write(ground, SETTINGS, `${settings(ground)}memory: 1MB\n`)
      await ground.ask(ACTIVITY, night)
    },
    async mend(ground) {
      await write(ground, SETTINGS, settings(ground))
      await restored(ground)
    },
  },
  {
    kind: 'resource',
    cause: 'the compute process was killed',
    subject: ACTIVITY,
    make: (ground, night) => killed(ground, night, 'SIGKILL'),
    mend: restored,
  },
  {
    kind: 'resource',
    cause: 'there is no space, or a folder may not be written',
    subject: ACTIVITY,
    needsRoot: true,
    async make(ground, night) {
      const folder = path(ground, 'warehouse/.attempts')
      mkdirSync(folder, { recursive: true })
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
      writeFileSync(join(folder, 'filler'), Buffer.alloc(64 * 1024))
      await ground.ask(ACTIVITY, night)
    },
    mend: (ground) => void spawnSync('umount', ['-l', path(ground, 'warehouse/.attempts')]),
  },
]
