import { fail, type Item } from '../item.ts'

export const rollback: Item = {
  id: 'rollback',
  title: 'Rollback',
  question: 'How many minutes does it take to go back, and when was it last tried?',
  async ask({ model }) {
    return fail('no evidence is collected yet', `nightshift drill ${model.name} rollback`)
  },
}
