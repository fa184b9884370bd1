import { afterEach, expect, test } from 'vitest'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { type Life, openLife } from './life.ts'

let project: TemporaryProject
let life: Life
afterEach(async () => {
  await life.close()
  await project.remove()
})

test.each([
  { which: 'with a deadline', deadline: 'deadline: "06:00"\n' },
  { which: 'without a deadline', deadline: '' },
])(
  'nights $which that catch_up gives up are mailed as not computed, and never as all clear',
  async ({ deadline }) => {
    project = await generatedProject({
      schedule: `schedule: nightly\ncron: "0 2 * * *"\nrefresh: [activity]\nstart: "2026-03-03"\ncatch_up: { policy: latest }\n${deadline}`,
    })
    life = await openLife(project.root, { from: '2026-03-03T01:50:00Z', worker: false })
    // Nothing plans for three days; then somebody starts it again, before the newest night is late.
    await life.until('2026-03-06T05:00:00Z', 4 * 24 * 60)
    await life.until('2026-03-06T05:05:00Z', 1)
    const states = await Promise.all(
      ['2026-03-03', '2026-03-04', '2026-03-05', '2026-03-06'].map(
        async (night) => (await life.slot('features', 'activity', night))?.state,
      ),
    )
    expect(states).toEqual(['skipped', 'skipped', 'skipped', 'queued'])
    expect(life.mails.received.map(({ envelope }) => envelope.to)).toEqual([['oncall@example.com']])
    const text = String(life.mails.received[0]?.mail.text)
    expect(text).toMatch(
      /^Features of activity for 2026-03-05 and 2 earlier are not computed, skipped by the schedule; readers have no features\./,
    )
    expect(text).toContain('Why: catch_up latest: a newer slot is due (2026-03-06)')
    expect(text).not.toMatch(/all clear|nothing to do/i)
  },
)
