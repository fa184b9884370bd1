import { rmSync } from 'node:fs'
import { path, VALUE } from '../failing-project.ts'
import type { Scene } from '../scene.ts'
import { MORE, measured, spendMore } from '../watched-project.ts'

export const DRIFT_SCENES: Scene[] = [
  {
    kind: 'drift',
    cause: 'columns moved',
    subject: VALUE,
    async make(ground, night) {
      await spendMore(ground)
      await measured(ground, night, 'who spent much')
    },
    async settle(ground, night) {
      rmSync(path(ground, MORE))
      await measured(ground, night, 'who spent much')
    },
  },
]
