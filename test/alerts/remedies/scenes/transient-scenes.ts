import { writeFileSync } from 'node:fs'
import { killed } from '../children.ts'
import { ACTIVITY, path, restored, VALUE } from '../failing-project.ts'
import type { Scene } from '../scene.ts'

export const TRANSIENT_SCENES: Scene[] = [
  {
    kind: 'transient',
    cause: 'the published features were removed or replaced',
    subject: VALUE,
    async make(ground, night) {
      await ground.ask(ACTIVITY, night)
      writeFileSync(path(ground, `warehouse/features/activity/as_of=${night}/features.parquet`), 'foreign')
      await ground.ask(VALUE, night)
    },
  },
  {
    kind: 'transient',
    cause: 'a connection, a lock or a process was lost',
    subject: ACTIVITY,
    make: (ground, night) => killed(ground, night, 'SIGUSR2'),
    mend: restored,
  },
]
