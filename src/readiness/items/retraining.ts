import { fail, type Item } from '../item.ts'

export const retraining: Item = {
  id: 'retraining',
  title: 'Retraining',
  question: 'What starts a retraining, and has its command been tried?',
  async ask({ model }) {
    return fail('no evidence is collected yet', `nightshift retrain ${model.name} --dry-run`)
  },
}
