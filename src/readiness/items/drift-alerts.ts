import { fail, type Item } from '../item.ts'

export const driftAlerts: Item = {
  id: 'drift-alerts',
  title: 'Drift alerts',
  question: 'Does somebody hear of it when the data shifts?',
  async ask({ model }) {
    return fail(
      'no rehearsed drift alert is on record: this build has no drill for it yet',
      `nightshift waive ${model.name} drift-alerts --until DATE --reason WHY --by WHO`,
    )
  },
}
