import { expect, test } from 'vitest'
import { objectFailure } from '../../src/storage/object-failure.ts'

const refused = (name: string, more: object) => Object.assign(new Error('no'), { name, Code: name, ...more })

test.each([
  ['in its text', refused('AuthorizationHeaderMalformed', { Region: 'eu-central-1' })],
  [
    'in a header',
    refused('PermanentRedirect', { $response: { headers: { 'x-amz-bucket-region': 'eu-central-1' } } }),
  ],
])('a storage that says %s which region a bucket is in is quoted', (_, error) => {
  const { failureClass, message } = objectFailure(error, 'listed', 's3://lake/')
  expect([failureClass, message]).toEqual([
    'contract',
    `s3://lake/ could not be listed (${error.name}: no): the bucket is in eu-central-1: set AWS_REGION=eu-central-1`,
  ])
})

test.each([{}, { Region: 'x; rm -rf' }, { $response: null }])(
  'one that does not say it is not: %j',
  (more) => {
    expect(objectFailure(refused('PermanentRedirect', more), 'listed', 's3://lake/').message).toContain(
      'the bucket is in another region: set AWS_REGION',
    )
  },
)
