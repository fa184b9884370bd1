import { html } from 'hono/html'
import { quoted } from '../../../alerts/letters/next-commands.ts'
import { runCommands } from '../../../alerts/letters/run-commands.ts'
import { localTimes } from '../../../format/clock-time.ts'
import { faceOf } from '../../../ledger/nights/faces.ts'
import type { Project } from '../../../project/project.ts'
import { nightHref, runHref } from '../../addresses.ts'
import type { Viewer } from '../../page-context.ts'
import { stateMark } from '../../state-mark.ts'
import { action, recipientOf } from './actions.ts'
import type { Night } from './load.ts'
import { type Offered, offerOf, type SlotAndRun } from './offers.ts'

/** What blocks the night, with the buttons of what blocks it: once that is published, the night is scored by itself. */
export function blockerCard({ slot, blocker }: Night, project: Project, now: Date, viewer: Viewer | null) {
  if (blocker === undefined) return ''
  const { run } = blocker
  const why = run?.failure?.message ?? blocker.slot.reason
  const title = `${blocker.slot.name} ${blocker.slot.partition}`
  const offered = offersOf(blocker, project, recipientOf(viewer))
  const back = nightHref(slot, project.models)
  return html`<section class="card soon" aria-labelledby="blocked"><h2 id="blocked">What blocks this night</h2>
<p>${stateMark(faceOf(blocker.slot, now))} The features <a href="${nightHref(blocker.slot, project.models)}">${title}</a>${run === undefined ? '' : html`, run <a href="${runHref(run.id)}">${run.id}</a>`}</p>
${why === null || why === undefined ? '' : html`<p class="error">${localTimes(why, project.timezone)}</p>`}
<p class="small quiet">${slot.name} is scored by itself once they are published.</p>
<div class="actions">${offered.map((each) => action(each, { project, viewer, back }))}</div></section>`
}

/** What the table of remedies says of the features. */
function offersOf(at: SlotAndRun, project: Project, recipient: string): Offered[] {
  const { slot, run } = at
  const commands = run === undefined ? [] : runCommands(project, run, undefined, recipient)
  if (commands.length > 0) return commands.map((command) => offerOf(command, at))
  const command = `npx nightshift refresh ${quoted(slot.name)} --as-of ${quoted(slot.partition)}`
  return [{ why: 'Compute the features after all', command, button: undefined }]
}
