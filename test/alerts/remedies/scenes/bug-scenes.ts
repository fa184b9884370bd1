import { tryScores, VALUE } from '../failing-project.ts'
import type { Scene } from '../scene.ts'

export const BUG_SCENES: Scene[] = [
  {
    kind: 'bug',
    cause: 'an error that no class covers',
    subject: VALUE,
    async make(ground, night) {
      // A row of the ledger that no build writes.
      await ground.life.database.pool.query(
        `update nightshift.versions set mapping = mapping - 'inputs' || jsonb_build_object('kept', mapping->'inputs')
          where mapping ? 'inputs'`,
      )
      await tryScores(ground, night)
    },
    async mend(ground) {
      await ground.life.database.pool.query(
        `update nightshift.versions set mapping = mapping - 'kept' || jsonb_build_object('inputs', mapping->'kept')
          where mapping ? 'kept'`,
      )
    },
  },
]
