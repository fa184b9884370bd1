import { html } from 'hono/html'
import { type Command, quoted } from '../../../alerts/letters/next-commands.ts'
import { runCommands } from '../../../alerts/letters/run-commands.ts'
import type { Project } from '../../../project/project.ts'
import type { Viewer } from '../../page-context.ts'
import type { Night } from './load.ts'

/** The possible actions on a night: commands for everyone, and buttons for an operator where a page can do the same. */
export function actions(night: Night, project: Pick<Project, 'people'>, viewer: Viewer | null) {
  const offered = offeredFor(night, project, viewer?.name.includes('@') ? viewer.name : 'YOU')
  if (offered.length === 0) return ''
  const operator = viewer?.role === 'operator' ? viewer : undefined
  return html`<section class="card soon" aria-labelledby="act"><h2 id="act">What you can do</h2><div class="actions">${offered.map(
    ({ why, command, button }) => html`<div class="action"><p>${why}</p>
${
  operator === undefined || button === undefined
    ? ''
    : html`<form method="post" action="${button.path}"><input type="hidden" name="csrf" value="${operator.csrf}">
${button.reason ? html`<label>Why<input type="text" name="reason" required maxlength="1000" autocomplete="off"></label>` : ''}
<button>${button.text}</button></form>`
}
<p class="small quiet">In the terminal: <code>${command}</code></p></div>`,
  )}</div>${operator === undefined ? html`<p class="small quiet">Buttons are for operators: <code>nightshift user add NAME --role operator</code></p>` : ''}</section>`
}

interface Offered {
  why: string
  command: string
  button: Button | undefined
}

interface Button {
  path: string
  text: string
  /** It asks for a reason. */
  reason: boolean
}

/** What the table of remedies says about the run, and skipping the night where that is possible. */
function offeredFor(night: Night, project: Pick<Project, 'people'>, recipient: string): Offered[] {
  const { slot, run } = night
  const isLatest = run !== undefined && run.id === slot.run
  const commands = isLatest ? runCommands(project, run, night.versions, recipient) : []
  const offered = commands.map((command) => ({ ...command, button: buttonFor(command, night) }))
  return commands.some(({ step }) => step === 'skip') || !isSkippable(night)
    ? offered
    : [...offered, skip(night)]
}

function buttonFor({ step }: Command, night: Night): Button | undefined {
  const { run } = night
  if (run === undefined) return undefined
  switch (step) {
    case 'again':
      return { path: `/runs/${run.id}/retry`, text: 'Run it again', reason: false }
    case 'release':
      return { path: `/runs/${run.id}/release`, text: 'Publish the held run', reason: true }
    case 'skip':
      return skipButton(night)
    default:
      return undefined
  }
}

function isSkippable({ slot, run }: Night): boolean {
  const busy = run !== undefined && (run.state === 'running' || run.state === 'publishing')
  if (busy || slot.state === 'published' || slot.state === 'skipped') return false
  return run === undefined || run.id === slot.run
}

function skip(night: Night): Offered {
  const { name, partition } = night.slot
  return {
    why: 'If this night is not needed, skip it; its readers are notified.',
    command: `npx nightshift skip ${quoted(`${name}:${partition}`)} --reason 'the night is not needed'`,
    button: skipButton(night),
  }
}

function skipButton({ slot: { kind, name, partition } }: Night): Button {
  const path = `/slots/${kind}/${encodeURIComponent(name)}/${encodeURIComponent(partition)}/skip`
  return { path, text: 'Skip this night', reason: true }
}
