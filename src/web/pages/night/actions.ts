import { html } from 'hono/html'
import { quoted } from '../../../alerts/letters/next-commands.ts'
import { brokenStructure } from '../../../pipeline/features/releasable.ts'
import type { Viewer } from '../../page-context.ts'
import type { Night } from './load.ts'

/** The possible actions on a night: buttons for an operator, and the equivalent commands for everyone. */
export function actions(night: Night, viewer: Viewer | null) {
  const offered = [...retry(night), ...release(night), ...skip(night)]
  if (offered.length === 0) return ''
  const operator = viewer?.role === 'operator' ? viewer : undefined
  return html`<section class="card soon" aria-labelledby="act"><h2 id="act">What you can do</h2><div class="actions">${offered.map(
    ({ path, button, why, reason, command }) => html`<div class="action"><p>${why}</p>
${
  operator === undefined
    ? ''
    : html`<form method="post" action="${path}"><input type="hidden" name="csrf" value="${operator.csrf}">
${reason ? html`<label>Why<input type="text" name="reason" required maxlength="1000" autocomplete="off"></label>` : ''}
<button>${button}</button></form>`
}
<p class="small quiet">In the terminal: <code>${command}</code></p></div>`,
  )}</div>${operator === undefined ? html`<p class="small quiet">Buttons are for operators: <code>nightshift user add NAME --role operator</code></p>` : ''}</section>`
}

interface Offered {
  path: string
  button: string
  why: string
  reason: boolean
  command: string
}

function retry({ slot, run }: Night): Offered[] {
  if (run === undefined || run.id !== slot.run) return []
  if (run.state !== 'failed' && run.state !== 'held') return []
  return [
    {
      path: `/runs/${run.id}/retry`,
      button: 'Run it again',
      why: 'Once the cause is fixed, run the night again.',
      reason: false,
      command: `npx nightshift retry ${run.id}`,
    },
  ]
}

function release({ slot, run }: Night): Offered[] {
  if (run?.state !== 'held' || run.path === null || run.id !== slot.run) return []
  if (brokenStructure(run.checks).length > 0) return []
  return [
    {
      path: `/runs/${run.id}/release`,
      button: 'Publish the held run',
      why: 'If the data is correct after all, publish the held partition.',
      reason: true,
      command: `npx nightshift release ${run.id} --reason WHY --by YOU`,
    },
  ]
}

function skip({ slot, run }: Night): Offered[] {
  const busy = run !== undefined && (run.state === 'running' || run.state === 'publishing')
  if (busy || slot.state === 'published' || slot.state === 'skipped') return []
  if (run !== undefined && run.id !== slot.run) return []
  return [
    {
      path: `/slots/${slot.kind}/${encodeURIComponent(slot.name)}/${encodeURIComponent(slot.partition)}/skip`,
      button: 'Skip this night',
      why: 'If this night is not needed, skip it; its readers are notified.',
      reason: true,
      command: `npx nightshift skip ${quoted(`${slot.name}:${slot.partition}`)} --reason WHY`,
    },
  ]
}
