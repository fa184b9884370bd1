import { html } from 'hono/html'
import { figure } from '../../../format/numbers.ts'
import { registryHref } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, labelled, number, table } from '../../table.ts'
import { sentenceOf } from '../registry/history.ts'
import type { ModelView } from './load.ts'

const SHOWN = 6

/** The versions, when each was live, and their events. */
export function versionsSection(view: ModelView) {
  const { versions, history, model, timezone, terminal } = view
  const lives = livesOf(view)
  const shown = table(
    `Versions of ${model.name}`,
    versions.slice(0, SHOWN),
    [
      column('Version', ({ version }) => html`<a href="${registryHref(model.name)}">${version}</a>`),
      column('Role', ({ version }) => roleOf(view, version)),
      labelled('Live', ({ version }) =>
        lives
          .filter((life) => life.version === version)
          .map(
            ({ from, to }) =>
              html`${moment(from, timezone)} to ${to === null ? 'now' : moment(to, timezone)}<br>`,
          ),
      ),
      labelled('Registered', ({ registered_at }) => moment(registered_at, timezone)),
      { ...number('AUC on its holdout', ({ evaluation }) => figure(evaluation?.auc)), class: 'number wrap' },
    ],
    { class: 'stack snug', scroll: `Versions of ${model.name}` },
  )
  const events = history.toReversed().slice(0, 2 * SHOWN)
  const more =
    versions.length > SHOWN
      ? html`<p class="small">${versions.length - SHOWN} older versions are in the <a href="${registryHref(model.name)}">registry</a>.</p>`
      : ''
  return html`<section class="card" aria-labelledby="versions"><h2 id="versions">Versions, and when each was live</h2>
${
  versions.length === 0
    ? html`<p>None is registered.${terminal(' In the terminal: ', `register ${model.name} FILE`)}</p>`
    : html`${shown}${more}`
}
${events.length === 0 ? '' : html`<details><summary>Events</summary><ul class="list small">${events.map((event) => html`<li>${sentenceOf(event, timezone)}</li>`)}</ul></details>`}
</section>`
}

/** The time spans in which each version was champion, oldest first; the last one is open. */
function livesOf({ history }: ModelView): { version: number; from: string; to: string | null }[] {
  const changes = history.filter(({ event }) => event === 'promoted' || event === 'rolled back')
  return changes.map(({ version, at }, index) => ({ version, from: at, to: changes[index + 1]?.at ?? null }))
}

function roleOf({ champion, shadows, nights }: ModelView, version: number) {
  if (version === champion?.version) return stateMark('published', 'champion')
  // A version that has scored the last nights is currently in shadow.
  const recent = nights.at(-3)?.as_of ?? ''
  const shadow = shadows.find((each) => each.version === version && each.last >= recent)
  if (shadow === undefined) return ''
  return stateMark('running', shadow.role === 'warm' ? 'kept warm' : 'challenger')
}
