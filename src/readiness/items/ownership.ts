import { fail, type Item } from '../item.ts'

export const ownership: Item = {
  id: 'ownership',
  title: 'Ownership',
  question: 'Who owns the model, who is on call, who reads the scores, and have they accepted it?',
  async ask({ model }) {
    return fail('no evidence is collected yet', `nightshift accept ${model.name} --by WHO`)
  },
}
