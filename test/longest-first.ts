import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Tests that take longest, by path: begun last, one of them alone would keep the others waiting. */
const LONGEST = [
  'test/fixtures/story',
  'test/alerts/remedies/failures',
  'test/alerts/remedies/checks',
  'test/monitoring/outcomes/quality',
  'test/cli/cdnow',
  'test/workers/',
  'test/cli/',
  'test/alerts/remedies/',
  'test/host/',
  'test/actions/',
  'test/monitoring/',
  'test/web/',
]

/** Tests that mostly wait, for leases and for what comes back: the processor is free for others meanwhile. */
const WAITING = 'test/faults/'

/** Begins with the files that take longest, among them those that wait; the others follow in vitest's own order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b))
    const [waiting, busy] = [sorted.filter(waits), sorted.filter((file) => !waits(file))]
    return busy
      .flatMap((file, index) => [file, ...waiting.slice(index, index + 1)])
      .concat(waiting.slice(busy.length))
  }
}

function waits({ moduleId }: TestSpecification): boolean {
  return moduleId.includes(WAITING)
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONGEST.findIndex((part) => moduleId.includes(part))
  return rank < 0 ? LONGEST.length : rank
}
