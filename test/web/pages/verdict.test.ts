import { expect, test } from 'vitest'
import { trust } from '../../../src/monitoring/trust/trust.ts'
import { verdict } from '../../../src/web/pages/night/verdict.ts'
import { facts, run, slot } from '../../monitoring/trust/trust-case.ts'

const failure = {
  class: 'contract',
  message: 'features.sql is not the one that version 1 was registered with',
}
const failed = run({ state: 'failed', failure: failure as never })
const last = slot({ state: 'failed', published_run: null, published_at: null })
const night = {
  trust: trust(facts({ run: failed }, last)),
  slot: last,
  run: failed,
  verdicts: [],
  drift: [],
} as never

test('why a night failed stands on the page of its list, and once on its own', () => {
  expect(String(verdict(night, 'UTC', '/nights/churn/2026-03-03'))).toContain(
    `The night failed: ${failure.message}`,
  )
  expect(String(verdict(night, 'UTC'))).not.toContain(failure.message)
})
