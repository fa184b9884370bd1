import { html } from 'hono/html'
import { localDay } from '../../../format/clock-time.ts'
import { chargeOf } from '../../../readiness/acceptances.ts'
import { ITEMS } from '../../../readiness/gate.ts'
import { gateOnRecord } from '../../../readiness/gate-on-record.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, labelled, table } from '../../table.ts'
import type { ReadinessView } from './load.ts'

/** What people have added to the evidence: waivers, acceptances, promotions despite the gate. */
export function people(view: ReadinessView) {
  return html`${waivers(view)}${acceptances(view)}${overrides(view)}`
}

function waivers({ waivers: all, now, project: { timezone } }: ReadinessView) {
  const today = localDay(now, timezone)
  const title = (id: string) => ITEMS.find((each) => each.id === id)?.title ?? id
  return html`<section class="card" aria-labelledby="waivers"><h2 id="waivers">Waivers</h2>${
    all.length === 0
      ? html`<p class="quiet">None.</p>`
      : table('Waivers', all, [
          column('Item', ({ item }) => title(item)),
          column('State', ({ until }) =>
            until >= today ? stateMark('held', 'waived') : stateMark('skipped', 'ended'),
          ),
          labelled('Until', ({ until }) => until),
          labelled(
            'By',
            ({ by, at }) => html`${by} <span class="quiet small">${moment(at, timezone)}</span>`,
          ),
          column('Reason', ({ reason }) => reason),
        ])
  }</section>`
}

function acceptances({ acceptances: all, model, project: { timezone } }: ReadinessView) {
  const charge = chargeOf(model)
  return html`<section class="card" aria-labelledby="accepted"><h2 id="accepted">Taken over</h2>${
    all.length === 0
      ? html`<p class="quiet">Nobody has accepted the model yet.</p>`
      : html`<ul class="list">${all.map(
          (each) =>
            html`<li>${moment(each.at, timezone)} by ${each.by}${each.version === null ? '' : `, at version ${each.version}`} from ${each.owner} <span class="quiet small">(user ${each.os_user} on ${each.host})</span>${each.charge === charge ? '' : html`<div class="small text-late">Lapsed: owner, on-call or consumers have changed since.</div>`}</li>`,
        )}</ul>`
  }</section>`
}

function overrides({ overrides: all, project: { timezone } }: ReadinessView) {
  if (all.length === 0) return ''
  return html`<section class="card" aria-labelledby="overrides"><h2 id="overrides">Promoted despite the gate</h2><ul class="list">${all.map(
    ({ at, version, by, reason, evidence }) => {
      const gate = gateOnRecord(evidence)
      return html`<li>${moment(at, timezone)} <strong>version ${version}</strong>${by === null ? '' : ` by ${by}`}<div>${reason}</div>${gate === undefined ? '' : html`<div class="small text-late">${gate.text}: ${gate.open.join(', ')}</div>`}</li>`
    },
  )}</ul></section>`
}
