import { withdraw } from '../../../../src/registry/champion.ts'
import { smallModel } from '../../../projects/generated.ts'
import { ACTIVITY, MODEL, tryScores, VALUE, write } from '../failing-project.ts'
import type { Scene } from '../scene.ts'
import { live, register, registeredSpoilt, spoil, take, unregisteredSpoilt, unspoil } from '../versions.ts'

const MODEL_YAML = 'models/value/model.yaml'

/** Versions come one after the other. */
export const MODEL_SCENES: Scene[] = [
  {
    kind: 'model',
    cause: 'no version is registered',
    subject: VALUE,
    hasNoRun: true,
    isWhole: true,
    make: (ground, night) => ground.ask(VALUE, night),
    async mend(ground, _, step) {
      if (step !== 'again') return
      await register(ground, { bytes: smallModel() })
      await live(ground, 1)
    },
  },
  {
    kind: 'model',
    cause: 'no version is live',
    subject: VALUE,
    hasNoRun: true,
    isWhole: true,
    async make(ground, night) {
      const version = await ground.champion('value')
      const by = 'ann@example.com'
      if (version !== null)
        await withdraw(ground.life.database, { model: 'value', expected: version, by, reason: null })
      await ground.ask(VALUE, night)
    },
    async mend(ground, _, step) {
      if (step === 'again') await live(ground, 1)
    },
    // The gate lists what is missing.
    after: { promote: 'refused, no version is live' },
  },
  {
    kind: 'model',
    cause: 'the live version cannot score, and no version was live before',
    subject: VALUE,
    async make(ground, night) {
      await registeredSpoilt(ground, 1)
      await tryScores(ground, night)
    },
    mend: (ground) => unregisteredSpoilt(ground, 1),
  },
  {
    kind: 'model',
    cause: 'the file of the live version is gone or changed',
    subject: VALUE,
    async make(ground, night) {
      take(ground, 1)
      await tryScores(ground, night)
    },
    mend: (ground) => unspoil(ground, 1),
  },
  {
    kind: 'model',
    cause: 'scores are outside their range, and no version was live before',
    subject: VALUE,
    async make(ground, night) {
      await write(ground, MODEL_YAML, MODEL.replace('max: 1', 'max: 0.1'))
      await tryScores(ground, night)
    },
    mend: (ground) => write(ground, MODEL_YAML, MODEL),
    async leave(ground) {
      await register(ground, { bytes: smallModel({ linear: true }) })
    },
  },
  {
    kind: 'model',
    cause: 'a version that was given by name cannot score',
    subject: VALUE,
    async make(ground, night) {
      spoil(ground, 2)
      await ground.ask(ACTIVITY, night)
      await ground.ask(VALUE, night, { version: 2 })
    },
    leave: (ground) => unspoil(ground, 2),
  },
  {
    kind: 'model',
    cause: 'scores are outside their range, after a promotion',
    subject: VALUE,
    async make(ground, night) {
      await live(ground, 2)
      await tryScores(ground, night)
    },
    together: ['rollback', 'again'],
    after: { release: 'published with version 2, incident closed' },
  },
  {
    kind: 'model',
    cause: 'the live version cannot score, after a promotion',
    subject: VALUE,
    async make(ground, night) {
      await live(ground, 2)
      spoil(ground, 2)
      await tryScores(ground, night)
    },
    together: ['rollback', 'again'],
    async leave(ground) {
      unspoil(ground, 2)
      await live(ground, 1)
    },
  },
]
