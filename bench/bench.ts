import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { benchProject } from './data.ts'
import { wholeNumber } from './figures.ts'
import { thisMachine } from './machine.ts'
import { sizeRows } from './page.ts'
import { preparePrograms } from './program.ts'
import { keepResults, printSection } from './results.ts'
import { measureRounds } from './rounds.ts'
import { measureSmallNights } from './small-nights.ts'

/**
 * Nightshift beside the bare engine and a plain script, in alternating rounds: `npm run bench`, see README.md. With
 * `--quick` 100,000 and 1,000,000 customers in three rounds, of which the plain script takes part in one; with `--customers` those sizes alone. Small nights
 * follow where neither is asked for, or with `--small` alone.
 */
const { values } = parseArgs({
  options: {
    customers: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    /** Nights of the backfill of small nights. */
    nights: { type: 'string', default: '365' },
    /** The plain script takes no part above so many customers. */
    'plain-limit': { type: 'string' },
  },
})
const FOLDER = fileURLToPath(new URL('../.nightshift/bench', import.meta.url))
const SIZES = ['2357', '100000', '1000000', '10000000']
const QUICK = ['100000', '1000000']

const say = (text: string) => console.error(text)
const rounds = wholeNumber('--rounds', values.rounds ?? (values.quick ? '3' : '5'))
const plainLimit = wholeNumber(
  '--plain-limit',
  values['plain-limit'] ?? (values.quick ? '100000' : '1000000'),
)
const chosen = values.customers ?? (values.quick ? QUICK : values.small ? [] : SIZES)

const sizes = chosen.map((text) => wholeNumber('--customers', text))
preparePrograms({ plain: sizes.some((customers) => customers <= plainLimit) })
for (const customers of sizes) {
  say(`${customers} customers: data, model, a worker and a first run of each side`)
  const machine = thisMachine()
  const withoutPlain =
    customers > plainLimit
      ? `above ${plainLimit.toLocaleString('en-US')} customers its rows take minutes a round (--plain-limit)`
      : undefined
  const project = await benchProject(FOLDER, customers)
  const result = await measureRounds(project, { rounds, withoutPlain, quick: values.quick, say })
  keepResults({ [`${customers}`]: { ...result, machine } })
  console.log(`${customers.toLocaleString('en-US')} customers`)
  printSection({ machine, rows: sizeRows(customers, result) })
}
if (values.small || (values.customers === undefined && !values.quick)) {
  const section = await measureSmallNights(FOLDER, { nights: wholeNumber('--nights', values.nights), say })
  keepResults({ small: section })
  printSection(section)
}
