import { afterAll, beforeAll, expect, test } from 'vitest'
import { storable } from '../../../src/ledger/connection/storable-text.ts'
import { transaction } from '../../../src/ledger/connection/transaction.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

const NUL = String.fromCharCode(0)
const HALF = String.fromCharCode(0xd83d)
const WHOLE = '😀'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
  await fresh.database.pool.query('create table kept (id int, word text, words text[], fact jsonb)')
})
afterAll(() => fresh.drop())

test.each([
  ['a NUL in the middle', `a${NUL}b`, 'a\\u0000b'],
  ['nothing but NULs', NUL + NUL, '\\u0000\\u0000'],
  ['the first half of a pair', `a${HALF}`, 'a\uFFFD'],
  ['the second half of a pair', `${String.fromCharCode(0xde00)}b`, '\uFFFDb'],
  ['a whole pair', WHOLE, WHOLE],
  ['a half behind a whole pair', `${WHOLE}${HALF}`, `${WHOLE}\uFFFD`],
  ['the escape as somebody wrote it', 'C:\\u0000\\udeadbeef', 'C:\\u0000\\udeadbeef'],
  ['a backslash before a NUL', `\\${NUL}\\\\${NUL}`, '\\\\u0000\\\\\\u0000'],
  ['quotes, braces and lines', `{"a": ["${NUL}"]}\n\t`, '{"a": ["\\u0000"]}\n\t'],
  ['5,000 characters', `${'é'.repeat(5000)}${NUL}`, `${'é'.repeat(5000)}\\u0000`],
  ['an empty text', '', ''],
])('the ledger keeps %s, in a text, a list and JSON alike', async (_, text, kept) => {
  const fact = { [`key ${text}`]: [{ text, deep: { text } }, 1.5, null] }
  const read = await transaction(fresh.database, async (client) => {
    await client.query('delete from kept')
    await client.query('insert into kept values ($1, $2, $3, $4)', [
      1,
      text,
      [text, 'b'],
      JSON.stringify(fact),
    ])
    await client.query({
      text: 'insert into kept values ($1, $2, $3, $4)',
      values: [2, text, [text, 'b'], fact],
    })
    const { rows } = await client.query<{ word: string; words: string[]; fact: unknown }>(
      'select word, words, fact from kept order by id',
    )
    return rows
  })
  // Of what begins like JSON a text alone cannot tell: its escapes are escaped once more.
  const row = {
    words: [kept, 'b'].map((word) => (text.startsWith('{') ? expect.anything() : word)),
    fact: { [`key ${kept}`]: [{ text: kept, deep: { text: kept } }, 1.5, null] },
  }
  expect(read).toMatchObject([row, row])
  if (!text.startsWith('{')) expect(read.map(({ word }) => word)).toEqual([kept, kept])
})

test('other parameters stay what they are', () => {
  const date = new Date(0)
  const bytes = Buffer.from([0, 1])
  expect([1, null, undefined, true, 2n, date, bytes].map(storable)).toEqual([
    1,
    null,
    undefined,
    true,
    2n,
    date,
    bytes,
  ])
  expect(storable(bytes)).toBe(bytes)
})
