import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { scorePartition } from '../../src/pipeline/scoring/score-partition.ts'
import { tryModel } from '../../src/pipeline/scoring/trial.ts'
import { openCase } from './scoring-case.ts'

const folder = fileURLToPath(new URL('../../../shared/data/cdnow/', import.meta.url))
const missing = !existsSync(folder)

describe.skipIf(missing)(`the CD shop's customers${missing ? ` (absent: ${folder})` : ''}`, () => {
  it.each([
    ['lapse_v1_gbdt.onnx', 'v1'],
    ['lapse_v2_logreg_zipmap.onnx', 'v2'],
  ])('%s gives the scores of scikit-learn', async (file, version) => {
    const night = readFileSync(`${folder}features.sql`, 'utf8')
      .replaceAll('$as_of', "TIMESTAMP '1998-04-01'")
      .replace(
        'FROM purchases',
        `FROM (SELECT * FROM '${folder}purchases.parquet' WHERE purchased_at < TIMESTAMP '1998-04-01')`,
      )
    const each = await openCase({
      model: readFileSync(`${folder}${file}`),
      sql: `SELECT * FROM (${night}) ORDER BY customer_id`,
      entity: ['customer_id'],
      score: { min: 0, max: 1, threshold: 0.5 },
    })
    try {
      const trial = await tryModel({ ...each.request, rows: 1000 })
      expect(trial).toMatchObject({ rows: expect.any(Number), warnings: [] })
      expect(trial.checks.every(({ passed }) => passed)).toBe(true)
      const facts = await scorePartition({ ...each.request, threads: 2, batch: 500 })
      expect(facts.file.rows).toBe(2357)
      expect(facts.checks.every(({ passed }) => passed)).toBe(true)
      const [compared] = await each.query(
        `SELECT count(*), max(abs(scores.p - expected.${version})) FROM $file AS scores JOIN '${folder}expected_scores_1998-04-01.csv' AS expected USING (customer_id)`,
      )
      expect(compared?.[0]).toBe(2357n)
      expect(compared?.[1]).toBeLessThan(1e-6)
    } finally {
      each.remove()
    }
  })
})
