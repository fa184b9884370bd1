import type { Hono } from 'hono'
import { html } from 'hono/html'
import { findEvaluation } from '../../../registry/evaluations.ts'
import { evaluationsOf } from '../../../registry/registered-models.ts'
import { evaluationHref, registryHref, withQuery } from '../../addresses.ts'
import { missing, page } from '../../page.ts'
import type { PageContext } from '../../page-context.ts'
import { championOf, evaluationAsRival, evaluationBody } from './evaluation-body.ts'
import { newestOfEach } from './evaluation-list.ts'
import { type Evaluation, readEvaluation } from './evaluation-record.ts'

/** `/registry/MODEL/evaluations/ID`: one evaluation; `?with=ID` compares it with another version's on the same holdout. */
export function mountEvaluation(app: Hono, { database: { pool }, project }: PageContext): void {
  app.get('/registry/:model/evaluations/:id', async (context) => {
    const name = context.req.param('model')
    const own = await evaluationNamed(name, context.req.param('id'))
    if (own === undefined) {
      return missing(
        context,
        'No such evaluation',
        html`<p>There is no evaluation ${context.req.param('id')} of ${name}. <a href="${registryHref(name)}">Versions and evaluations of ${name}</a></p>`,
      )
    }
    const others = newestOfEach(
      (await evaluationsOf(pool, name))
        .map(readEvaluation)
        .filter((each) => each.dataset === own.dataset && each.version !== own.version),
    )
    const asked = context.req.query('with')
    const rival = others.some(({ id }) => String(id) === asked)
      ? await evaluationNamed(name, asked ?? '')
      : undefined
    const { timezone } = project()
    const compared = rival === undefined ? championOf(own) : evaluationAsRival(rival)
    return page(
      context,
      `Version ${own.version} of ${name}, evaluated`,
      html`${choice(own, others, rival)}${await evaluationBody(own, compared, timezone)}`,
      {
        section: 'Registry',
        crumbs: [
          ['/registry', 'Registry'],
          [registryHref(name), name],
        ],
        foot: html`Times are in ${timezone}.`,
      },
    )
  })

  async function evaluationNamed(model: string, text: string): Promise<Evaluation | undefined> {
    if (!/^[1-9]\d{0,8}$/.test(text)) return undefined
    const found = await findEvaluation(pool, model, Number(text))
    return found === undefined ? undefined : readEvaluation(found)
  }
}

/** Links to the same page beside another version. */
function choice(own: Evaluation, others: Evaluation[], rival: Evaluation | undefined) {
  if (others.length === 0) return ''
  const here = evaluationHref(own.model, own.id)
  const option = (words: string, href: string, current: boolean) =>
    html`<li><a href="${href}"${current ? html` aria-current="page"` : ''}>${words}</a></li>`
  const champion = championOf(own)
  return html`<nav class="beside-links" aria-label="Compare with"><span class="quiet">Beside:</span><ul>
${option(champion === undefined ? 'no other version' : `${champion.name} of that day`, here, rival === undefined)}
${others.map((each) => option(`version ${each.version}`, withQuery(here, { with: each.id }), rival?.id === each.id))}</ul></nav>`
}
