import { fail, type Item } from '../item.ts'

export const runbook: Item = {
  id: 'runbook',
  title: 'Runbook',
  question: 'Does the runbook answer every failure, and who has reviewed it?',
  async ask({ model }) {
    return fail('no evidence is collected yet', `nightshift runbook ${model.name}`)
  },
}
