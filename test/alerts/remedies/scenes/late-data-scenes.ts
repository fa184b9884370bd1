import { existsSync, renameSync, rmSync } from 'node:fs'
import { pino } from 'pino'
import { openProject } from '../../../../src/project/files/load-project.ts'
import { repairPublished } from '../../../../src/workers/repair-published.ts'
import { ACTIVITY, path, tryScores, VALUE } from '../failing-project.ts'
import type { Scene } from '../scene.ts'
import { spoil, unspoil } from '../versions.ts'

export const LATE_DATA_SCENES: Scene[] = [
  {
    kind: 'late-data',
    cause: 'the data of a source has not arrived',
    subject: ACTIVITY,
    async make(ground, night) {
      renameSync(path(ground, 'data/events'), path(ground, 'data/elsewhere'))
      await ground.ask(ACTIVITY, night)
    },
    mend: (ground) => {
      if (existsSync(path(ground, 'data/elsewhere')))
        renameSync(path(ground, 'data/elsewhere'), path(ground, 'data/events'))
    },
  },
  {
    kind: 'late-data',
    cause: 'the features that are to be scored are not published',
    subject: VALUE,
    async make(ground, night) {
      // Scores that failed are retried after their features were lost, with their second copy.
      spoil(ground, 1)
      await tryScores(ground, night)
      unspoil(ground, 1)
      const slot = await ground.life.slot('features', 'activity', night)
      rmSync(path(ground, `warehouse/features/activity/as_of=${night}`), { recursive: true })
      rmSync(path(ground, `warehouse/.published/${slot?.run}.parquet`), { force: true })
      const project = openProject(ground.project.root)
      const { database } = ground.life
      const place = {
        database,
        warehouse: project.warehouse,
        project: () => project,
        log: pino({ level: 'silent' }),
      }
      await repairPublished(place, slot?.id ?? 0)
      await ground.life.database.pool.query(
        `update nightshift.incidents set closed_at = now() where closed_at is null`,
      )
      await ground.life.retry('scores', 'value', night)
      await ground.pass(1)
      await ground.pass(1)
    },
  },
]
