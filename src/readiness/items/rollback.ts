import { duration } from '../../format/elapsed.ts'
import { standingDrill } from '../drills/drill-verdict.ts'
import { fail, type Item, pass } from '../item.ts'

/** A rollback that takes longer is none that helps at night. */
const MOST_SECONDS = 30 * 60

export const rollback: Item = {
  id: 'rollback',
  title: 'Rollback',
  question: 'How many minutes does it take to go back, and when was it last tried?',
  async ask(asked) {
    const { model } = asked
    const standing = await standingDrill(asked, 'rollback')
    if ('status' in standing) return standing
    const { drill, day } = standing
    const link = `/models/${model.name}/readiness#drills`
    if (drill.seconds === null || drill.seconds > MOST_SECONDS) {
      const took = drill.seconds === null ? 'has no figure' : `took ${duration(drill.seconds * 1000)}`
      return fail(
        `the drill of ${day} ${took}: at most ${duration(MOST_SECONDS * 1000)} is allowed`,
        `nightshift drill ${model.name} rollback`,
        link,
      )
    }
    return pass(`drilled on ${day}: ${drill.note}`, link)
  },
}
