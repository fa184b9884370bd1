import { html } from 'hono/html'
import type { Model } from '../../../project/project.ts'
import type { Version } from '../../../registry/version-records.ts'
import { registryHref } from '../../addresses.ts'
import { rightsOf, withoutButtons } from '../../buttons/rights.ts'
import type { PageContext, Viewer } from '../../page-context.ts'
import { promotion, rollback } from '../readiness/champion-offers.ts'
import { loadReadiness } from '../readiness/load.ts'
import { action } from '../readiness/offered.ts'
import { underWay } from '../readiness/under-way.ts'

/** Promoting a version through the gate, rolling back, and what came of earlier requests. */
export async function changeSection(
  pageContext: PageContext,
  model: Model,
  versions: Version[],
  viewer: Viewer | null,
) {
  const view = await loadReadiness(pageContext, model, versions, { asked: undefined, viewer })
  const offered = [promotion(view, { choose: true }), rollback(view)].filter((each) => each !== undefined)
  if (offered.length === 0) return underWay(view, registryHref(model.name))
  const rights = rightsOf(view.project, viewer)
  const refusal = withoutButtons(view.project, viewer)
  const here = registryHref(model.name)
  return html`<section class="card" aria-labelledby="change"><h2 id="change">Change the live version</h2>
<div class="actions beside">${offered.map((each) => action(view, rights, each, here))}</div>${refusal === undefined ? '' : html`<p class="small quiet">${refusal}</p>`}</section>
${underWay(view, here)}`
}
