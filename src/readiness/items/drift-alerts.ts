import { standingDrill } from '../drills/drill-verdict.ts'
import { fail, type Item, pass } from '../item.ts'

export const driftAlerts: Item = {
  id: 'drift-alerts',
  title: 'Drift alerts',
  question: 'Does somebody hear of it when the data shifts?',
  async ask(asked) {
    const { name, drift } = asked.model
    if (drift.columns?.length === 0 && !drift.score)
      return fail(
        'neither a column nor the score is watched for drift',
        `set \`drift.columns\` or \`drift.score\` in models/${name}/model.yaml, then nightshift drill ${name} drift`,
      )
    const standing = await standingDrill(asked, 'drift')
    if ('status' in standing) return standing
    return pass(
      `an alert needs ${drift.persist} nights with an effect of ${drift.min_effect}; drilled on ${standing.day}: ${standing.drill.note}`,
      `/models/${name}/readiness#drills`,
    )
  },
}
