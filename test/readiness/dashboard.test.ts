import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openProject } from '../../src/project/files/load-project.ts'
import { modelNamed } from '../../src/project/named.ts'
import type { Asked } from '../../src/readiness/item.ts'
import { dashboard } from '../../src/readiness/items/dashboard.ts'
import { listVersions } from '../../src/registry/version-records.ts'
import { nightshift } from '../cli/nightshift.ts'
import { freshDatabase } from '../database/fresh.ts'
import { generatedProject, valueModel } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'

const LABELS = `labels: { sql: labels.sql, horizon: 30d }
consumers: [the shop]
`

test('what the first nights lack is named with a command that changes it', async () => {
  const fresh = await freshDatabase()
  const folder = await generatedProject({ customers: 200 })
  try {
    const { root } = folder
    await folder.write('models/value/labels.sql', 'SELECT customer_id, 1 AS bought FROM events\n')
    await folder.write('models/value/model.yaml', valueModel(`${LABELS}`))
    const at = { project: root, env: { DATABASE_URL: fresh.url } }
    const succeeds = async (args: string[]) => {
      const { code, stderr } = await nightshift(args, at)
      expect(code, stderr).toBe(0)
    }
    await succeeds(['register', 'value', join(root, 'model.onnx')])
    await succeeds(promoting('value', 1))
    const project = openProject(root)
    const [version] = await listVersions(fresh.database.pool, 'value')
    const asked: Asked = {
      database: fresh.database,
      project,
      model: modelNamed(project, 'value'),
      version,
      champion: version,
      now: new Date('2026-03-04T12:00:00Z'),
      warehouse: project.warehouse,
      children: { run: () => Promise.reject(new Error('no child in this test')) },
    }
    const says = (evidence: string, fix: string) =>
      expect(dashboard.ask(asked)).resolves.toMatchObject({ status: 'fail', evidence, fix })

    const none = 'no night of the last 30 days'
    const run = 'nightshift run value --as-of D'
    await says(`${none} has scores to show`, run)
    // No worker has made the profile: to score the night again would not either.
    await succeeds(['run', 'value', '--as-of', '2026-03-02'])
    const drift = (night: string) => ['drift', 'value', '--as-of', night]
    await says(
      'the scores of 2026-03-02 are published, and their distribution was not looked at yet',
      `nightshift ${drift('2026-03-02').join(' ')}`,
    )
    await succeeds(drift('2026-03-02'))
    await says(
      `${none} was compared with a reference: this is the first night of version 1, which has no holdout; it is the reference for later nights`,
      run,
    )
    await succeeds(['run', 'value', '--as-of', '2026-03-03'])
    await says(`${none} was compared with a reference`, `nightshift ${drift('2026-03-03').join(' ')}`)
    await succeeds(drift('2026-03-03'))
    await says('no outcome is measured, and none is expected', 'nightshift outcomes value')
  } finally {
    await folder.remove()
    await fresh.drop()
  }
})
