import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../../../src/ledger/migrations/migrate.ts'
import { openVerdictKeeper } from '../../../src/monitoring/trust/keep-verdicts.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { generatedProject } from '../../projects/generated.ts'
import { writeHistory } from '../../web/history.ts'
import { ALL } from './bundled.ts'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
  await fresh.database.pool.query('drop schema nightshift cascade')
})
afterAll(() => fresh.drop())

test('lists that were published before verdicts were kept get theirs from then on', async () => {
  await migrate(
    fresh.database,
    ALL.filter(({ name }) => name < '040_verdicts.sql'),
  )
  await writeHistory(fresh.database)
  await migrate(fresh.database, ALL)
  const project = await generatedProject()
  try {
    await openVerdictKeeper(fresh.database).keep(openProject(project.root))
  } finally {
    await project.remove()
  }
  const { rows } = await fresh.database.pool.query(
    `select count(*)::int as lists, bool_and(since > now() - interval '1 hour' and until is null) as standing from nightshift.verdicts`,
  )
  expect(rows).toEqual([{ lists: 74, standing: true }])
})
