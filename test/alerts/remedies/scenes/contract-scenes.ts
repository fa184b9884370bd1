import { copyFileSync, rmSync } from 'node:fs'
import { ACTIVITY, path, QUERY, restored, SQL, tryScores, VALUE, VIEW, write } from '../failing-project.ts'
import type { Subject } from '../ground.ts'
import type { Scene } from '../scene.ts'

const LINES: Subject = { kind: 'features', name: 'lines' }
const YAML = 'features/activity/view.yaml'

export const CONTRACT_SCENES: Scene[] = [
  {
    kind: 'contract',
    cause: 'an expectation failed that a person may override',
    subject: ACTIVITY,
    async make(ground, night) {
      await write(ground, YAML, `${VIEW}columns: { spend: { max: 1 } }\n`)
      await ground.ask(ACTIVITY, night)
    },
    mend: (ground) => write(ground, YAML, VIEW),
  },
  {
    kind: 'contract',
    cause: 'an expectation failed that nobody may override',
    subject: LINES,
    async make(ground, night) {
      const file = path(ground, 'data/events/date=2026-03-01/events.parquet')
      copyFileSync(file, path(ground, 'data/events/date=2026-03-01/twice.parquet'))
      await ground.ask(LINES, night)
    },
    mend: (ground) => rmSync(path(ground, 'data/events/date=2026-03-01/twice.parquet'), { force: true }),
  },
  {
    kind: 'contract',
    cause: 'the view is not what the version was registered on',
    subject: VALUE,
    async make(ground, night) {
      await write(ground, QUERY, SQL.replace('sum(amount)', 'max(amount)'))
      await tryScores(ground, night)
    },
    mend: restored,
  },
  {
    kind: 'contract',
    cause: 'the published features have to be computed again',
    subject: VALUE,
    async make(ground, night) {
      await ground.ask(ACTIVITY, night)
      // As a build left them that did not look at this yet.
      await ground.life.database.pool.query(
        `update nightshift.runs set checks = checks || '[{"id": "entity.unique", "kind": "entity.unique", "passed": false,
           "observed": 2, "bound": 1, "message": "customer_id 1 has two rows", "samples": []}]'::jsonb
          where kind = 'features' and name = 'activity' and partition = $1`,
        [night],
      )
      await ground.ask(VALUE, night)
    },
  },
  {
    kind: 'contract',
    cause: 'files, SQL or sources are wrong',
    subject: ACTIVITY,
    async make(ground, night) {
      await write(ground, QUERY, SQL.replace('sum(amount)', 'sum(amuont)'))
      await ground.ask(ACTIVITY, night)
    },
    mend: restored,
  },
]
