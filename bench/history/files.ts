import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const NUMBERS = [
  'tenure_days',
  'monthly_price',
  'contract_days_left',
  'calls_7d',
  'calls_30d',
  'calls_trend',
  'dropped_share_30d',
  'support_calls_30d',
  'night_share_30d',
  'minutes_30d',
  'megabytes_14d',
  'payments_late_90d',
]
export const CATEGORIES = ['plan', 'region', 'channel']

/** Writes a project of so many models, each on a view of its own, all in one nightly schedule. */
export function writeProject(root: string, models: number): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const names = Array.from({ length: models }, (_, index) => String(index + 1).padStart(2, '0'))
  write(
    'nightshift.yaml',
    'project: history\ntimezone: UTC\nwarehouse: warehouse\nalerts: { from: nightshift@example.com, base_url: "http://localhost:8080" }\n',
  )
  write(
    'schedules/nightly.yaml',
    `schedule: nightly\ncron: "0 2 * * *"\nscore: [${names.map((each) => `model${each}`).join(', ')}]\ndeadline: "06:00"\n`,
  )
  for (const name of names) {
    write(
      `features/view${name}/view.yaml`,
      `view: view${name}\nentity: customer_id\nowner: data@example.com\nsources:\n  events: { path: data/events/*.parquet, kind: events, event_time: happened_at }\n`,
    )
    write(
      `features/view${name}/features.sql`,
      `SELECT customer_id,\n${[...NUMBERS, ...CATEGORIES].map((each) => `  max(${each}) AS ${each}`).join(',\n')}\nFROM events GROUP BY customer_id\n`,
    )
    write(
      `models/model${name}/model.yaml`,
      `model: model${name}
description: Probability that a customer does what model ${name} is about
owner: team${name}@example.com
on_call: [oncall@example.com]
consumers: [CRM list ${name}]
view: view${name}
inputs: [${NUMBERS.join(', ')}]
score: { column: probability, min: 0, max: 1, threshold: 0.5 }
labels: { sql: labels.sql, horizon: 30d }
drift: { columns: [tenure_days, monthly_price, plan], score: true }
`,
    )
    write(
      `models/model${name}/labels.sql`,
      'SELECT customer_id, count(*) > 0 AS label FROM events GROUP BY customer_id\n',
    )
    write(
      `models/model${name}/RUNBOOK.md`,
      ['late-data', 'contract', 'model', 'resource', 'transient', 'bug', 'deadline', 'drift']
        .map((section) => `## ${section}\n\nWhat to do about ${section} in model ${name}.\n`)
        .join('\n'),
    )
  }
}
