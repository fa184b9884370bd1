import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { InputFile } from '../../../src/pipeline/engine/facts.ts'
import { type CaseView, compute, makeFolder, writeParquet } from '../feature-case.ts'

const VIEW: CaseView = {
  sql: 'SELECT id, count(*)::INTEGER AS n FROM events GROUP BY id',
  sources: { events: { kind: 'events', path: 'data/**/*.parquet', event_time: 'at' } as never },
  expect: { rows: undefined, fresh: {} },
}
const DAYS = ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04']

async function project(): Promise<string> {
  const root = makeFolder()
  for (const day of DAYS) {
    const rows = `SELECT i AS id, TIMESTAMP '${day} 00:00:00' + to_hours(i) AS at FROM range(24) t(i)`
    await writeParquet(join(root, `data/${day}.parquet`), rows)
  }
  // It has rows on both sides of the earlier cut.
  await writeParquet(
    join(root, 'data/both.parquet'),
    `SELECT i AS id, TIMESTAMP '2026-03-02 12:00:00' + to_hours(i) AS at FROM range(24) t(i)`,
  )
  return root
}

const nameOf = ({ path }: InputFile) => path.split('/').at(-1)
/** As if the files had other contents than they have: what is taken from the record shows it. */
const marked = (inputs: InputFile[]): InputFile[] =>
  inputs.map((input) =>
    input.visible === undefined ? input : { ...input, visible: { ...input.visible, sum: 'known' } },
  )
const taken = (inputs: InputFile[]) =>
  inputs
    .filter(({ visible }) => visible?.sum === 'known')
    .map(nameOf)
    .sort()

test('what a later night knows of files that lie wholly before an earlier one holds there, and of no others', async () => {
  const root = await project()
  const later = await compute(root, VIEW, '2026-03-05')
  const earlier = await compute(root, VIEW, '2026-03-03', { known: marked(later.facts.inputs) })
  expect(taken(earlier.facts.inputs)).toEqual(['2026-03-01.parquet', '2026-03-02.parquet'])
  // What is not taken is what it is without the record, and what is taken would be.
  const alone = await compute(root, VIEW, '2026-03-03')
  const both = await compute(root, VIEW, '2026-03-03', { known: later.facts.inputs })
  expect(both.facts.inputs).toEqual(alone.facts.inputs)
})

test('of two records of a file the one of the whole file counts, wherever it stands', async () => {
  const root = await project()
  const before = await compute(root, VIEW, '2026-03-02')
  const later = await compute(root, VIEW, '2026-03-05')
  const [known, partial] = [marked(later.facts.inputs), before.facts.inputs]
  for (const both of [
    [...known, ...partial],
    [...partial, ...known],
  ]) {
    const { facts } = await compute(root, VIEW, '2026-03-04', { known: both })
    expect(taken(facts.inputs)).toContain('both.parquet')
  }
})

test('the newest row is found though only young files are opened, and old ones where there is no young one', async () => {
  const root = await project()
  const fresh = (hours: number) => ({
    ...VIEW,
    expect: {
      rows: undefined,
      fresh: { events: { text: `${hours}h`, ms: hours * 3_600_000, days: undefined } },
    },
  })
  const isFresh = ({ kind }: { kind: string }) => kind === 'fresh'
  const ofYoung = (await compute(root, fresh(12), '2026-03-05')).facts.checks.find(isFresh)
  expect(ofYoung).toMatchObject({ passed: true, observed: '2026-03-04T23:00:00Z' })
  const ofOld = (await compute(root, fresh(12), '2026-03-08')).facts.checks.find(isFresh)
  expect(ofOld).toMatchObject({ passed: false, observed: '2026-03-04T23:00:00Z' })
})
