import { expect, test } from 'vitest'
import {
  localPattern,
  objectPathFault,
  placeOf,
  prefixOf,
  readObjectPattern,
  shownFile,
  shownPath,
  shownWarehouse,
  warehouseFault,
  warehouseFolder,
} from '../../src/project/object-path.ts'

test('a path into object storage is a bucket, a pattern of keys, and what they all begin with', () => {
  expect(readObjectPattern('s3://lake/calls/day=*/{a,b}.parquet')).toEqual({
    bucket: 'lake',
    pattern: 'calls/day=*/{a,b}.parquet',
    prefix: 'calls/day=',
  })
  expect(readObjectPattern('s3://lake/a/b.parquet').prefix).toBe('a/b.parquet')
})

test('its files in the tree of links are told by the names of their objects', () => {
  const local = localPattern('s3://lake/calls/*.parquet')
  expect(local).toBe('.nightshift/objects/tree/lake/calls/*.parquet')
  expect(shownPath(local)).toBe('s3://lake/calls/*.parquet')
  expect(shownPath('data/calls/*.parquet')).toBe('data/calls/*.parquet')
})

test.each(['s3://lake/a.parquet', 's3://my.lake-2/**/x?.parquet'])('%s is legal', (path) => {
  expect(objectPathFault(path)).toBeUndefined()
})

test.each(['s3://', 's3://lake', 's3://lake/', 's3://Lake/a', 's3://lake//a', 's3://lake/../a', 's3://a/[b'])(
  '%s is not',
  (path) => {
    expect(objectPathFault(path)).toMatch(/^(s3:|a path)/)
  },
)

test('a path in the copy of a warehouse stands for an object, any other for itself', () => {
  const warehouse = warehouseFolder('/srv/churn', 's3://results/a/b')
  expect(warehouse).toBe('/srv/churn/.nightshift/objects/warehouse/results/a/b')
  expect(placeOf(`${warehouse}/scores/x.parquet`)).toEqual({ bucket: 'results', key: 'a/b/scores/x.parquet' })
  expect(prefixOf(warehouse)).toEqual({ bucket: 'results', prefix: 'a/b/' })
  expect(prefixOf(warehouseFolder('/srv/churn', 's3://results'))).toEqual({ bucket: 'results', prefix: '' })
  expect(shownFile('/srv/churn', `${warehouse}/scores/x.parquet`)).toBe('s3://results/a/b/scores/x.parquet')
  expect(shownWarehouse(warehouse)).toBe('s3://results/a/b')

  const folder = warehouseFolder('/srv/churn', 'warehouse')
  expect(folder).toBe('/srv/churn/warehouse')
  expect(placeOf(`${folder}/scores/x.parquet`)).toBeUndefined()
  expect(shownFile('/srv/churn', `${folder}/scores/x.parquet`)).toBe('warehouse/scores/x.parquet')
})

test.each(['s3://results', 's3://results/churn', 's3://results/team a/churn-2'])(
  '%s is legal as a warehouse',
  (given) => {
    expect(warehouseFault(given)).toBeUndefined()
  },
)

test.each([
  's3://',
  's3://Results',
  's3://results/',
  's3://results//a',
  's3://results/../a',
  's3://results/*',
  's3://results/.a',
])('%s is no warehouse', (given) => {
  expect(warehouseFault(given)).toMatch(/^s3:\/\/BUCKET or s3:\/\/BUCKET\/PREFIX/)
})
