import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Tests that take longest, by path: begun last, one of them alone would keep the others waiting. */
const LONGEST = [
  'test/fixtures/story',
  'test/alerts/remedies/failures',
  'test/alerts/remedies/checks',
  'test/monitoring/outcomes/quality',
  'test/faults/',
  'test/cli/cdnow',
  'test/workers/',
  'test/cli/',
  'test/alerts/remedies/',
  'test/host/',
  'test/actions/',
  'test/monitoring/',
  'test/web/',
]

/** Begins with the files that take longest; the others follow in vitest's own order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b))
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONGEST.findIndex((part) => moduleId.includes(part))
  return rank < 0 ? LONGEST.length : rank
}
