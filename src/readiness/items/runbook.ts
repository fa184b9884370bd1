import { localDay } from '../../format/clock-time.ts'
import { fail, type Item, pass } from '../item.ts'
import { examineRunbook } from '../runbook/examine-runbook.ts'
import { latestReview } from '../runbook/reviews.ts'
import { readRunbook } from '../runbook/runbook-file.ts'

const DAY_MS = 86_400_000
const REVIEW_DAYS = 180

export const runbook: Item = {
  id: 'runbook',
  title: 'Runbook',
  question: 'What does somebody do at 2 am who has never seen this model?',
  async ask({ database, project, model, now }) {
    const { name } = model
    const write = `nightshift runbook ${name}`
    const review = `nightshift runbook review ${name} --by WHO`
    const link = `/models/${name}/runbook`
    const file = readRunbook(project, model)
    if (typeof file === 'string') return fail(file, write, link)
    const { open, commands, checked, ran } = await examineRunbook(project, model, file, { run: true })
    if (open.length > 0) return fail(`${file.path}: ${listed(open)}`, write, link)
    if (commands.length > 0) return fail(listed(commands), write, link)
    const last = await latestReview(database.pool, name)
    if (last === undefined) return fail(`nobody has reviewed ${file.path}`, review, link)
    const day = localDay(last.at, project.timezone)
    if (last.sha256 !== file.sha256) {
      return fail(`${file.path} has changed since ${last.by} reviewed it on ${day}`, review, link)
    }
    const days = Math.floor((now.getTime() - Date.parse(last.at)) / DAY_MS)
    if (days < 0) return fail(`the review of ${file.path} lies in the future (${day})`, review, link)
    if (days > REVIEW_DAYS) {
      return fail(
        `${last.by} reviewed ${file.path} ${days} days ago, on ${day}; a review holds for ${REVIEW_DAYS} days`,
        review,
        link,
      )
    }
    return pass(
      `every section of ${file.path} is answered, ${checked} commands are legal and ${ran} were run, reviewed by ${last.by} on ${day}`,
      link,
    )
  },
}

function listed(findings: string[]): string {
  const shown = findings.slice(0, 3).join('; ')
  return findings.length > 3 ? `${shown}; and ${findings.length - 3} more` : shown
}
