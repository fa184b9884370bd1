import { fail, type Item } from '../item.ts'

export const scoring: Item = {
  id: 'scoring',
  title: 'Scoring',
  question:
    'Is the model scored on schedule, with retries and a deadline, and does a failure reach every person on call?',
  async ask() {
    return fail('no evidence is collected yet', `nightshift alert test --to ADDRESS`)
  },
}
