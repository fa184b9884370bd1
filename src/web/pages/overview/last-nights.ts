import { html } from 'hono/html'
import { overTime } from '../../../charts/over-time.ts'
import { counted } from '../../../format/numbers.ts'
import type { Model } from '../../../project/project.ts'
import { modelHref } from '../../addresses.ts'
import type { PageContext } from '../../page-context.ts'
import { loadNights, type NightFigures } from '../model/load.ts'
import { picture } from '../model/picture.ts'
import { rowsPicture, scorePicture, timesPicture } from '../model/scores.ts'
import { windowOf } from '../model/window.ts'

/** Where a project has one model: its scores, drift, rows and times over the last nights. */
export async function lastNights(pageContext: PageContext, model: Model) {
  const view = await loadNights(pageContext, model.name, windowOf({}, pageContext.project().timezone))
  if (view.nights.length === 0) return ''
  const pictures = await Promise.all([
    scorePicture(view),
    driftPicture(view),
    rowsPicture(view),
    timesPicture(view),
  ])
  return html`<section aria-labelledby="last"><h2 id="last">The last nights</h2><div class="charts">${pictures}</div>
<p class="small"><a href="${modelHref(model.name)}">Everything about ${model.name}</a></p></section>`
}

/** How many columns moved, night by night. */
function driftPicture({ nights, axis, drift }: NightFigures) {
  const values = nights.map(({ partition }) => {
    const own = drift.filter((each) => each.partition === partition)
    return own.length === 0 ? null : own.filter(({ drifted }) => drifted).length
  })
  const known = values.filter((value) => value !== null)
  const moved = known.filter((value) => value > 0).length
  return picture(
    overTime({
      title: 'Drifted columns',
      nights: axis,
      unit: 'count',
      fromZero: true,
      tracks: [{ name: 'columns', as: 'bars', colour: 'alert', values }],
    }),
    {
      title: 'Drift',
      empty: moved === 0,
      sentence:
        known.length === 0
          ? html`None of these nights has been compared with a reference yet.`
          : moved === 0
            ? known.length === 1
              ? html`No column drifted on the night that was compared.`
              : html`No column drifted on any of ${known.length} nights.`
            : html`Columns drifted on ${moved} of ${counted(known.length, 'night')}.`,
    },
  )
}
