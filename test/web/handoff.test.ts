import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openProject } from '../../src/project/files/load-project.ts'
import { modelNamed } from '../../src/project/named.ts'
import { recordAcceptance } from '../../src/readiness/acceptances.ts'
import { recordDrill } from '../../src/readiness/drills/drill-record.ts'
import type { Gate } from '../../src/readiness/gate.ts'
import { handoffPage } from '../../src/web/handoff.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'

const project = openProject(resolve(import.meta.dirname, '../..'))
const churn = modelNamed(project, 'churn')
const HERE = { os_user: 'ann', host: 'node' }
const GATE: Gate = {
  model: 'churn',
  version: null,
  champion: null,
  at: '2026-11-28T02:00:00.000Z',
  ready: false,
  items: [
    {
      id: 'scoring',
      title: 'Scoring',
      question: 'Is it scored?',
      status: 'fail',
      evidence: 'every schedule is paused (<b>nightly</b>)',
      fix: 'nightshift validate',
      link: '/models/churn',
      waiver: null,
    },
    {
      id: 'rollback',
      title: 'Rollback',
      question: 'How long?',
      status: 'waived',
      evidence: 'no drill rollback is on record',
      fix: 'nightshift drill churn rollback',
      link: null,
      waiver: {
        item: 'rollback',
        until: '2026-12-31',
        reason: 'planned for December',
        by: 'bob@example.com',
        at: '2026-11-27T00:00:00.000Z',
        ...HERE,
      },
    },
  ],
}

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

const written = () =>
  handoffPage({ database: fresh.database, project: () => project }, churn, GATE, new Date(GATE.at))

test('one page says what whoever takes over has to know, and loads nothing', async () => {
  const page = await written()
  for (const part of [
    churn.description,
    ...churn.consumers,
    ...churn.on_call,
    '0 of 2, 1 waived until 2026-12-31',
    'Rollback until 2026-12-31 by bob@example.com: planned for December',
    'nightshift validate',
    'Never evaluated on held-out data.',
    'Nobody has taken it over yet.',
    'every schedule is paused (&lt;b&gt;nightly&lt;/b&gt;)',
  ])
    expect(page).toContain(part)
  expect(page).not.toMatch(/<script|src="http|href="\/(?!\/)/)
  // One heading of the page; those of the runbook are below its section.
  expect(page.match(/<h1/g)).toHaveLength(1)
})

test('drills and the signature are on it', async () => {
  await recordDrill(fresh.database.pool, {
    model: 'churn',
    kind: 'failure',
    version: 1,
    view_hash: null,
    passed: true,
    seconds: 33,
    note: 'attempt 2 published 400 rows 33 s later',
    by: 'ann@example.com',
    ...HERE,
  })
  const accepted = { version: 1, charge: null, owner: churn.owner, by: 'bob@example.com', ...HERE }
  await recordAcceptance(fresh.database.pool, 'churn', accepted)
  const page = await written()
  expect(page).toContain('attempt 2 published 400 rows 33 s later')
  expect(page).toMatch(/By bob@example.com on .*, at version 1 \(user ann on node\)/)
})
