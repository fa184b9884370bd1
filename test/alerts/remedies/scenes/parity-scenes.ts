import { statSync } from 'node:fs'
import { smallModel } from '../../../projects/generated.ts'
import { COMPARED, COMPARED_DATA, path, SECOND, SQL, write, writeCompared } from '../failing-project.ts'
import type { Ground } from '../ground.ts'
import type { Scene } from '../scene.ts'
import { live, register } from '../versions.ts'

const COMPARED_QUERY = 'features/compared/features.sql'

/** A night that is published, scored and at parity; then `change`, which the next comparison finds. */
async function compared(ground: Ground, night: string, change: () => Promise<unknown>): Promise<void> {
  const { pool } = ground.life.database
  if ((await ground.champion('second')) === null) {
    await register(ground, { model: 'second', view: 'compared', bytes: smallModel() })
    await live(ground, 1, 'second')
  }
  await ground.ask(COMPARED, night)
  await ground.ask(SECOND, night)
  const certified = `select from nightshift.certificates where view = 'compared' and partition = $1`
  await ground.until(async () => (await pool.query(certified, [night])).rows.length > 0)
  await change()
  // As if the comparison had been lost: it is made again.
  await pool.query(`delete from nightshift.certificates where view = 'compared' and partition = $1`, [night])
  await ground.until(async () => (await ground.open(COMPARED)).length > 0)
}

/** Other amounts in a file that looks unchanged. */
async function pastChanged(ground: Ground): Promise<void> {
  const size = () => statSync(path(ground, COMPARED_DATA)).size
  const before = size()
  await writeCompared(ground.project.root, 2)
  if (size() !== before) throw new Error('the file has another size')
}

export const PARITY_SCENES: Scene[] = [
  {
    kind: 'parity',
    cause: 'the view was edited after it had served',
    subject: COMPARED,
    make: (ground, night) =>
      compared(ground, night, () =>
        write(ground, COMPARED_QUERY, SQL.replace('sum(amount)', 'max(amount) + 1')),
      ),
    cure: (ground) => write(ground, COMPARED_QUERY, SQL),
    together: ['forced', 'readers'],
  },
  {
    kind: 'parity',
    cause: 'the past of a source was changed',
    subject: COMPARED,
    make: (ground, night) => compared(ground, night, () => pastChanged(ground)),
    together: ['forced', 'readers'],
  },
]
