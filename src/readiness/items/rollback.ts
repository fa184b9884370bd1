import { fail, type Item } from '../item.ts'

export const rollback: Item = {
  id: 'rollback',
  title: 'Rollback',
  question: 'How many minutes does it take to go back, and when was it last tried?',
  async ask({ model }) {
    return fail(
      'no rehearsed rollback is on record: this build has no drill for it yet',
      `nightshift waive ${model.name} rollback --until DATE --reason WHY --by WHO`,
    )
  },
}
