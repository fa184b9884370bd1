import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { killed } from '../children.ts'
import { ACTIVITY, path, restored } from '../failing-project.ts'
import type { Scene } from '../scene.ts'

export const RESOURCE_SCENES: Scene[] = [
  {
    kind: 'resource',
    cause: 'the output is computed, but cannot be moved into place',
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
