import { fail, type Item } from '../item.ts'

export const driftAlerts: Item = {
  id: 'drift-alerts',
  title: 'Drift alerts',
  question: 'Does somebody hear of it when the data shifts?',
  async ask({ model }) {
    return fail('no evidence is collected yet', `nightshift drill ${model.name} drift`)
  },
}
