import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Real purchases of a CD shop, with two models and their expected scores. */
export const CDNOW = resolve(import.meta.dirname, '../../../shared/data/cdnow')
export const HAS_CDNOW = existsSync(CDNOW)
if (!HAS_CDNOW) console.warn(`skipped: ${CDNOW} is not there`)

export interface TemporaryProject {
  root: string
  write(path: string, text: string): Promise<void>
  remove(): Promise<void>
}

/** A folder of its own under the system's temporary one. */
export async function temporaryProject(files: Record<string, string>): Promise<TemporaryProject> {
  const root = await mkdtemp(join(tmpdir(), 'nightshift-test-'))
  const write = async (path: string, text: string) => {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), text)
  }
  for (const [path, text] of Object.entries(files)) await write(path, text)
  return { root, write, remove: () => rm(root, { recursive: true, force: true }) }
}

/** A project over the real purchases, read in place, or over another file of the same shape. */
export function cdnowProject(purchases = join(CDNOW, 'purchases.parquet')): Promise<TemporaryProject> {
  return temporaryProject({
    'nightshift.yaml': 'project: cdnow\ntimezone: UTC\nwarehouse: warehouse\n',
    'features/customer/view.yaml': `view: customer
entity: customer_id
owner: crm@example.com
sources:
  purchases: { path: ${purchases}, kind: events, event_time: purchased_at }
columns:
  orders: { min: 1, max_null_rate: 0 }
`,
    'features/customer/features.sql': readFileSync(join(CDNOW, 'features.sql'), 'utf8'),
    'models/lapse/model.yaml': `model: lapse
description: Probability that a customer buys nothing for 90 days
owner: crm@example.com
on_call: [oncall@example.com]
view: customer
score: { column: lapse_probability, min: 0, max: 1, threshold: 0.5 }
labels: { sql: labels.sql, horizon: 90d }
`,
    'models/lapse/labels.sql': readFileSync(join(CDNOW, 'labels.sql'), 'utf8'),
    'models/lapse/RUNBOOK.md': '# Lapse\n',
  })
}
