import { expect, test } from 'vitest'
import { pageWith } from '../../bench/page.ts'
import { withEarlier } from '../../bench/results.ts'
import type { Row } from '../../bench/rows.ts'
import { milliseconds, within } from '../../bench/rows.ts'

const machine = {
  processor: 'some',
  cores: 2,
  memory_gb: 24,
  node: 'v20.20.2',
  load: 0.4,
  date: '2026-11-30',
}
const row = (value: number): Row =>
  within({ what: 'a night', command: 'npm run bench' }, value, { most: 25, show: milliseconds })

test('a section stands between its lines, with the machine, the target and the command; other text stays', () => {
  const page =
    'before\n<!-- sizes -->\n<!-- end of sizes -->\n<!-- small -->\nold\n<!-- end of small -->\nafter\n'
  const text = pageWith(page, { small: { machine, rows: [row(20), row(30)] } })
  expect(text).toBe(`before
<!-- sizes -->


<!-- end of sizes -->
<!-- small -->

Measured 2026-11-30 on 2 cores (some), 24 GB, Node v20.20.2, at a load of 0.4.

| what | measured | target | met | command |
| --- | --- | --- | --- | --- |
| a night | 20 ms | at most 25 ms | yes | \`npm run bench\` |
| a night | 30 ms | at most 25 ms | **no** | \`npm run bench\` |

<!-- end of small -->
after
`)
})

test('what was measured twice shows the run before beside it, and no run before that', () => {
  const section = (value: number, date: string) => ({ machine: { ...machine, date }, rows: [row(value)] })
  const first = withEarlier({ small: section(30, '2026-11-28') }, {})
  const second = withEarlier({ small: section(24, '2026-11-29') }, first)
  const third = withEarlier({ small: section(20, '2026-11-30') }, second)
  expect([first.small?.before, third.small?.before]).toEqual([undefined, section(24, '2026-11-29')])
  const text = pageWith(
    '<!-- sizes -->\n<!-- end of sizes -->\n<!-- small -->\n<!-- end of small -->\n',
    third,
  )
  expect(text).toContain('| what | measured | the run before, of 2026-11-29 | target | met | command |')
  expect(text).toContain('| a night | 20 ms | 24 ms | at most 25 ms | yes | `npm run bench` |')
})

test('a page without a place for a section is refused', () => {
  expect(() => pageWith('<!-- sizes -->\n<!-- end of sizes -->', { load: { machine, rows: [] } })).toThrow(
    'expected the lines <!-- load --> and <!-- end of load --> in docs/performance.md',
  )
})
