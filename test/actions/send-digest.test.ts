import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestMail, digestUntil, sendDueDigest } from '../../src/actions/send-digest.ts'
import { letterHtml } from '../../src/alerts/letters/letter-html.ts'
import { letterText } from '../../src/alerts/letters/letter-text.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import type { Project } from '../../src/project/project.ts'
import { keepMail } from '../alerts/kept-mails.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { LABELS_SQL, labelOf, MODEL_YAML, SHIFTED, writeHistory } from '../web/history.ts'

let fresh: FreshDatabase
let folder: TemporaryProject
let project: Project
beforeAll(async () => {
  fresh = await freshDatabase()
  await writeHistory(fresh.database)
  folder = await generatedProject()
  await folder.write('models/value/labels.sql', LABELS_SQL)
  const readers = MODEL_YAML.replace(
    'consumers: [CRM retention list]',
    'consumers: [CRM list, reader@example.com]',
  )
  await folder.write('models/value/model.yaml', readers)
  project = openProject(folder.root)
})
afterAll(async () => {
  await folder.remove()
  await fresh.drop()
})

/** The digest at noon of a night. */
async function digestOn(night: string) {
  const { weeks, span } = await digestUntil({ project, database: fresh.database }, `${night}T12:00:00.000Z`)
  return digestMail(project, weeks, span)
}

test('a week says how many nights, which are missing, what moved, and how well the scores came true', async () => {
  // The nights from the 37th to the 43rd, of which the 40th failed.
  const { subject, letter } = await digestOn(labelOf(43))
  keepMail('digest', { subject, text: letterText(letter), html: letterHtml(letter, subject) }, folder.root)
  expect(subject).toMatch(/7 nights, none late, 1 missing, drift none, quality steady$/)
  expect((await digestOn(labelOf(67))).subject).toMatch(/7 nights, none late, drift on 7, quality steady$/)
  expect((await digestOn('2027-01-01')).subject).toMatch(/no night was due$/)
})

test('a night that was published after its deadline is late, and named', async () => {
  const [late] = [SHIFTED]
  const { pool } = fresh.database
  await pool.query(
    `update nightshift.slots set published_at = deadline + interval '1 hour' where partition = $1`,
    [late],
  )
  const { letter } = await digestOn(late)
  expect(letterText(letter)).toMatch(new RegExp(`Late\\W+${late}`))
})

test('owners and readers with an address get it, once for each tick, whoever asks', async () => {
  const ledger = { project: withDigest('* * * * *'), database: fresh.database }
  const written = await Promise.all([sendDueDigest(ledger), sendDueDigest(ledger)])
  expect(written.reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(2)
  const { rows } = await fresh.database.pool.query(
    `select recipient, count(*)::int as mails from nightshift.outbox group by 1 order by 1`,
  )
  // The minute may have changed between the two.
  const ticks = rows[0]?.mails
  expect(rows.map(({ recipient }) => recipient)).toEqual(['crm@example.com', 'reader@example.com'])
  const { rowCount } = await fresh.database.pool.query('select from nightshift.digests')
  expect(rows.every(({ mails }) => mails === ticks)).toBe(true)
  expect(rowCount).toBe(ticks)
})

test('without a cron there is none, and one whose tick is over for a day is left out', async () => {
  const { database } = fresh
  const threeDaysAgo = new Date(Date.now() - 3 * 86_400_000)
  const cron = `0 0 ${threeDaysAgo.getUTCDate()} ${threeDaysAgo.getUTCMonth() + 1} *`
  expect(await sendDueDigest({ project, database })).toBe(0)
  expect(await sendDueDigest({ project: withDigest(cron), database })).toBe(0)
})

function withDigest(digest: string): Project {
  const alerts = project.alerts ?? openProject(folder.root).alerts
  return { ...project, alerts: { ...(alerts as NonNullable<typeof alerts>), digest } }
}
