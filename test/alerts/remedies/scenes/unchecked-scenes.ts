import { readFileSync } from 'node:fs'
import { signalChildren } from '../children.ts'
import { ACTIVITY, path, VALUE, write } from '../failing-project.ts'
import type { Ground, Subject } from '../ground.ts'
import type { Scene } from '../scene.ts'
import { measured } from '../watched-project.ts'

const SETTINGS = 'nightshift.yaml'
const LIMIT = 'timeouts: { monitors: 1s }\n'

/** Makes a check again, with a limit of a second and a compute process that does not answer. */
async function checkedTooLong(ground: Ground, subject: Subject, forget: string): Promise<void> {
  await write(ground, SETTINGS, readFileSync(path(ground, SETTINGS), 'utf8') + LIMIT)
  if (signalChildren('SIGSTOP') === 0) throw new Error('there is no compute process')
  try {
    await ground.life.database.pool.query(forget)
    await ground.until(async () => (await ground.open(subject)).length > 0)
  } finally {
    signalChildren('SIGCONT')
  }
}

/** The limit is raised. */
function mend(ground: Ground): Promise<void> {
  return write(ground, SETTINGS, readFileSync(path(ground, SETTINGS), 'utf8').replace(LIMIT, ''))
}

export const UNCHECKED_SCENES: Scene[] = [
  {
    kind: 'unchecked',
    cause: 'the comparison of serving with training was not completed',
    subject: ACTIVITY,
    says: { show: /parity: could not be checked/ },
    async make(ground, night) {
      const { pool } = ground.life.database
      const certificates = 'select from nightshift.certificates'
      await ground.ask(ACTIVITY, night)
      await ground.until(async () => (await pool.query(certificates)).rowCount !== 0)
      await checkedTooLong(ground, ACTIVITY, 'delete from nightshift.certificates')
    },
    mend,
    after: { parity: 'published, incident closed' },
  },
  {
    kind: 'unchecked',
    cause: 'the drift check was not completed',
    subject: VALUE,
    says: { show: /state {6}published/ },
    async make(ground, night) {
      await measured(ground, night, 'who spent much')
      await checkedTooLong(ground, VALUE, `delete from nightshift.profiles where partition = '${night}'`)
    },
    mend,
    after: { drift: 'published, incident closed' },
  },
]
