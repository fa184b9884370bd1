import { expect, it } from 'vitest'
import type { InputFile } from '../../../src/pipeline/engine/facts.ts'
import { checkPromise, type Promised } from '../../../src/pipeline/features/promised-columns.ts'

const input = (path: string): InputFile => ({
  source: 'ev',
  path,
  size: 1,
  modified: '2026-11-20T00:00:00.000Z',
  rows: 1,
  newest: null,
})
const id = (type: string, from: string) => ({ name: 'id', type, isKey: false, from })
const promised: Promised = {
  columns: [
    { name: 'id', type: 'BIGINT' },
    { name: 'x', type: 'DOUBLE' },
  ],
  sources: { ev: [id('BIGINT', 'data/a.parquet')] },
  partition: '2026-11-21',
  inputs: [input('data/a.parquet')],
}
const now = {
  columns: [
    { name: 'x', type: 'DOUBLE' },
    { name: 'id', type: 'BIGINT' },
  ],
  sources: { ev: [id('VARCHAR', 'data/b.parquet')] },
  inputs: [input('data/a.parquet'), input('data/b.parquet')],
}

it('the same columns in another order keep a promise', () => {
  expect(checkPromise(promised, now)).toBeUndefined()
})

it('a column of another type, a new one and one that is gone break it, and the source is named that did', () => {
  const broken = checkPromise(promised, {
    ...now,
    columns: [
      { name: 'id', type: 'VARCHAR' },
      { name: 'y', type: 'DATE' },
    ],
  })
  expect(broken).toMatchObject({
    kind: 'types',
    column: 'id',
    passed: false,
    observed: 'VARCHAR',
    bound: 'BIGINT',
  })
  expect(broken?.message).toContain(
    'column id is VARCHAR, and was BIGINT; column x no longer exists, and was DOUBLE; column y (DATE) is new: readers rely on the columns that this definition has had since 2026-11-21. Of its sources ev.id is VARCHAR in data/b.parquet, and was BIGINT in data/a.parquet.',
  )
})

it('where the sources of then are not on record, the files are named that are new', () => {
  const columns = [{ name: 'id', type: 'VARCHAR' }]
  const message = checkPromise({ ...promised, sources: undefined }, { ...now, columns })?.message
  expect(message).toContain('Of the files that it reads, data/b.parquet is new since then')
  const same = checkPromise({ ...promised, sources: now.sources }, { ...now, columns })?.message
  expect(same).toContain('No source column that it reads has changed its type since then')
})
