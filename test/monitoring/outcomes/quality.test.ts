import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listIncidents } from '../../../src/alerts/incidents/list-incidents.ts'
import { findOutcome } from '../../../src/monitoring/outcomes/record.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { startWeb, type WebServer } from '../../../src/web/start-web.ts'
import { nightshift } from '../../cli/nightshift.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, smallModel, valueModel, writeParquet } from '../../projects/generated.ts'
import { promoting } from '../../promoting.ts'
import { type Life, openLife } from '../../workers/life.ts'

const SCHEDULE = 'schedule: nightly\ncron: "0 2 * * *"\nscore: [value]\nstart: "2026-03-03"\n'
/** What customers spent before the first night alone: purchases of the label windows have no amount. */
const SQL = `SELECT customer_id, sum(amount)::FLOAT AS spend, count(*) FILTER (amount > 0)::FLOAT AS orders
FROM events GROUP BY customer_id
`
const LABELS = `SELECT customer_id, (count(*) FILTER (happened_at >= $as_of) > 0)::INTEGER AS bought
FROM events GROUP BY customer_id HAVING min(happened_at) < $as_of
`
const model = (more = '') =>
  valueModel(`labels: { sql: labels.sql, horizon: 1d }
evaluation: { require: { auc: { min: 0.7, max: 0.99 }, brier: { max: 0.4 } } }
retrain: { command: [node, train.mjs], dataset: { span: 4d, every: 1d, holdout: 2d } }
${more}`)
const TRAIN = `import { copyFileSync } from 'node:fs'
copyFileSync('next.onnx', process.env.NIGHTSHIFT_OUT)
`
/** On good days those come back who spent much, but for some; on bad days the others do. */
const GOOD = 'i % 7 > 3 OR i % 10 = 0'
const BAD = `NOT (${GOOD})`
const DAYS = [GOOD, BAD, BAD, BAD, GOOD, GOOD, GOOD, GOOD, GOOD, GOOD, GOOD, GOOD, GOOD]
const day = (index: number) => `2026-03-${String(index + 3).padStart(2, '0')}`

let project: TemporaryProject
let life: Life
let web: WebServer
let at: { project: string; env: Record<string, string> }
beforeAll(async () => {
  project = await generatedProject({ schedule: SCHEDULE, sql: SQL })
  await project.write('models/value/labels.sql', LABELS)
  await project.write('models/value/model.yaml', model())
  await project.write('models/value/train.mjs', TRAIN)
  writeFileSync(join(project.root, 'models/value/next.onnx'), smallModel({ work: 1, width: 8 }))
  writeFileSync(join(project.root, 'other.onnx'), smallModel({ work: 1, width: 16 }))
  for (const [index, who] of DAYS.entries()) {
    await writeParquet(
      join(project.root, `data/events/date=${day(index)}/buyers.parquet`),
      `SELECT i AS customer_id, TIMESTAMP '${day(index)} 12:00:00' AS happened_at, 0.0::DOUBLE AS amount FROM range(100) t(i) WHERE ${who}`,
    )
  }
  life = await openLife(project.root, { from: '2026-03-03T01:00:00Z' })
  at = { project: project.root, env: { DATABASE_URL: life.database.url } }
  await cli('register', 'value', join(project.root, 'model.onnx'), '--as-of', '2026-03-02')
  await cli(...promoting('value', 1))
  const read = openProject(project.root)
  web = await startWeb(
    { database: life.database, queues: life.queues, project: () => read, clock: life.now },
    { port: 0 },
  )
})
afterAll(async () => {
  await web?.close()
  await life?.close()
  await project?.remove()
})

async function cli(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await nightshift(args, at)
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0)
  return stdout
}

/** Lives until the night of a day is measured, and what follows is mailed. */
async function measured(index: number): Promise<void> {
  await life.until(`${day(index + 1)}T03:00:00Z`, 60)
  for (
    let tries = 0;
    (await findOutcome(life.database.pool, 'value', day(index)))?.state !== 'measured';
    tries++
  ) {
    if (tries > 240) throw new Error(`${day(index)} is not measured`)
    await sleep(50)
  }
  await life.until(`${day(index + 1)}T06:00:00Z`, 60)
}

const qualityOf = async () =>
  (await listIncidents(life.database.pool, life.now(), { subject: 'value', closedToo: true })).filter(
    ({ kind }) => kind === 'quality',
  )

/** The mails about quality, the newest last. */
const mails = () =>
  life.mails.received
    .filter(({ mail }) => mail.subject?.includes('worse than required'))
    .map(({ mail }) => String(mail.text))

/** The commands that a mail offers, as they are pasted. */
const commandsOf = (text: string) =>
  [...text.matchAll(/^ {2}npx nightshift (.*)$/gm)].map(([, line]) => line ?? '')
const pasted = async (line: string) => cli(...line.split(' '))
const page = async (path: string) => {
  const answer = await fetch(web.url + path)
  expect(answer.status).toBe(200)
  return (await answer.text()).replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
}
const LONG = 600_000

test(
  'the second of three nights that is worse opens an incident, which is mailed with figures, intervals and bounds',
  async () => {
    await measured(0)
    await measured(1)
    expect(await qualityOf()).toEqual([])
    await measured(2)
    const [incident] = await qualityOf()
    expect(incident).toMatchObject({
      closedAt: undefined,
      bad: ['2026-03-05'],
      facts: { state: 'published' },
    })
    const text = mails().at(-1) ?? ''
    expect(text).toMatch(/^value is worse than required for 2026-03-05\.\n/)
    expect(text).toContain(
      `\nNight: 2026-03-05, 100 rows with a label, 52 of them positive; scored by version 1 in run ${incident?.facts.run}\n`,
    )
    expect(text).toMatch(
      /- ROC AUC\n {2}0\.05849 \(95 %: [\d.]+ to [\d.]+\) on 2026-03-05; at least 0\.7 is required\n {2}required by evaluation\.require\.auc\.min in models\/value\/model\.yaml\n {2}the whole interval is worse on 2 of the last 3 measured nights\n/,
    )
    expect(text).toMatch(
      /- Brier score\n {2}0\.\d+ \(95 %: [\d.]+ to [\d.]+\) on 2026-03-05; at most 0\.4 is required\n {2}required by evaluation\.require\.brier\.max in /,
    )
    expect(text).toMatch(
      /- 2026-03-03: 0\.94\d+ \(95 %: .*\), as required\n- 2026-03-04: 0\.05\d+ \(95 %: .*\), worse than required\n/,
    )
    expect(text).toContain('No action is needed tonight.')
  },
  LONG,
)

test(
  'command and pages show it',
  async () => {
    expect(await cli('incidents')).toMatch(/value +quality +2026-03-05 +/)
    expect(await page('/models/value')).toContain('value is worse than required for 2026-03-05.')
    expect(await page('/incidents/1')).toMatch(
      /ROC AUC of 2026-03-05 is 0\.05849 \(95 %: [\d.]+ to [\d.]+\), at least 0\.7 is required/,
    )
    expect(await page('/')).toContain(
      'Measured against realized outcomes, the scores are worse than required.',
    )
  },
  LONG,
)

test(
  'each command of its mail works',
  async () => {
    const commands = commandsOf(mails().at(-1) ?? '')
    expect(commands).toEqual([
      'outcomes value --from 2026-03-03 --to 2026-03-05',
      'retrain value --by oncall@example.com',
      'mute value --kind quality --until 3d --by oncall@example.com',
    ])
    const [outcomes = '', retrain = '', mute = ''] = commands
    expect(await pasted(outcomes)).toMatch(/2026-03-05 +measured .* 0\.05/)
    expect(await pasted(retrain)).toContain('retraining 1 of value: done')
    expect(await pasted(mute)).toContain('no mails about value (quality) until')
  },
  LONG,
)

test(
  'while quality is muted a further night joins without a mail, and is mailed afterwards',
  async () => {
    const before = mails().length
    await measured(3)
    expect((await qualityOf())[0]).toMatchObject({ bad: ['2026-03-05', '2026-03-06'] })
    expect(mails()).toHaveLength(before)
    await cli('mute', 'value', '--kind', 'quality', '--off')
    await life.until(`${day(4)}T07:00:00Z`, 10)
    expect(mails().slice(before)).toEqual([
      expect.stringMatching(/^Again: value is worse than required for 2026-03-06 and 1 earlier\.\n/),
    ])
  },
  LONG,
)

test(
  'it is closed aloud by as many nights that keep the bounds as had to break them',
  async () => {
    await measured(4)
    expect((await qualityOf())[0]).toMatchObject({ closedAt: undefined })
    await measured(5)
    expect((await qualityOf())[0]?.closedAt).toBeInstanceOf(Date)
    const text = mails().at(-1) ?? ''
    expect(text).toMatch(
      /^Resolved: value is as good as required again on 2026-03-08; it was worse for 2026-03-06 and 1 earlier, whose published scores are unchanged\.\n/,
    )
    expect(text).toMatch(
      /- 2026-03-08: ROC AUC 0\.94\d+ \(95 %: .*\), at least 0\.7 is required; Brier score .*, at most 0\.4 is required\n/,
    )
  },
  LONG,
)

test(
  'after a promotion its mail offers the rollback, and nights of a version that is live no longer are no news',
  async () => {
    // It sees the two columns the other way round, and foretells the opposite.
    await project.write('models/value/model.yaml', model('inputs: [orders, spend]\n'))
    await cli('register', 'value', join(project.root, 'other.onnx'), '--as-of', '2026-03-08')
    await project.write('models/value/model.yaml', model())
    await cli(...promoting('value', 3))
    await measured(6)
    await measured(7)
    expect(await qualityOf()).toHaveLength(1)
    await measured(8)
    const text = mails().at(-1) ?? ''
    expect(text).toMatch(/^value is worse than required for 2026-03-11\.\n/)
    expect(text).toContain('Version 3 scored the night. It is live since ')
    const [outcomes = '', rollback = '', retrain = ''] = commandsOf(text)
    expect([outcomes, rollback, retrain]).toEqual([
      'outcomes value --from 2026-03-06 --to 2026-03-11',
      'rollback value --by oncall@example.com',
      'retrain value --by oncall@example.com',
    ])
    await pasted(outcomes)
    expect(await life.beside(pasted(rollback))).toContain(
      'version 1 of value is the champion again, version 3 was',
    )
    expect(await page('/')).toContain(
      'The scores of version 3 were worse than required (incident #2); those of version 1 have not been measured as better yet.',
    )

    const before = mails().length
    await measured(9)
    expect(mails()).toHaveLength(before)
    expect((await qualityOf())[0]).toMatchObject({ closedAt: undefined, bad: ['2026-03-11'] })
    await measured(10)
    await measured(11)
    expect(mails().slice(before)).toEqual([
      expect.stringMatching(/^Resolved: value is as good as required again on 2026-03-14/),
    ])
  },
  LONG,
)
