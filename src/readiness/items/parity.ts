import { fail, type Item } from '../item.ts'

export const parity: Item = {
  id: 'parity',
  title: 'Parity',
  question: 'Does serving compute the same features as training?',
  async ask({ model }) {
    return fail('no evidence is collected yet', `nightshift parity ${model.name} --as-of DATE`)
  },
}
