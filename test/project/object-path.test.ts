import { expect, test } from 'vitest'
import { localPattern, objectPathFault, readObjectPattern, shownPath } from '../../src/project/object-path.ts'

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
