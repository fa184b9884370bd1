import { smallModel } from '../../../projects/generated.ts'
import { VALUE } from '../failing-project.ts'
import type { Ground } from '../ground.ts'
import type { Scene } from '../scene.ts'
import { live, register } from '../versions.ts'
import { measured, notRetrainable, retrainable } from '../watched-project.ts'

/** Foretells the opposite of the first version. */
let reversed: number | undefined
async function promoted(ground: Ground): Promise<number> {
  reversed ??= await register(ground, { bytes: smallModel({ reversed: true }) })
  await live(ground, reversed)
  return reversed
}

/** The first version is live again, and right about a night. */
async function settle(ground: Ground, night: string): Promise<void> {
  await live(ground, 1)
  await measured(ground, night, 'who spent much')
}

/** In the order in which they are played: in the first two no other version was ever live. */
export const QUALITY_SCENES: Scene[] = [
  {
    kind: 'quality',
    cause: 'the live version is worse',
    subject: VALUE,
    make: (ground, night) => measured(ground, night, 'who spent little'),
    settle,
  },
  {
    kind: 'quality',
    cause: 'the live version is worse, and can be retrained',
    subject: VALUE,
    async make(ground, night) {
      await retrainable(ground)
      await measured(ground, night, 'who spent little')
    },
    leave: notRetrainable,
    settle,
  },
  {
    kind: 'quality',
    cause: 'worse since a promotion',
    subject: VALUE,
    async make(ground, night) {
      await promoted(ground)
      await measured(ground, night, 'who spent much')
    },
    settle,
  },
  {
    kind: 'quality',
    cause: 'worse since a promotion, and the model can be retrained',
    subject: VALUE,
    async make(ground, night) {
      await retrainable(ground)
      await promoted(ground)
      await measured(ground, night, 'who spent much')
    },
    leave: notRetrainable,
    settle,
  },
  {
    kind: 'quality',
    cause: 'a version that is not live any more was worse',
    subject: VALUE,
    async make(ground, night) {
      const version = await promoted(ground)
      await live(ground, 1)
      await measured(ground, night, 'who spent much', { version })
    },
    settle,
  },
]
