/** Commands of pages, in blocks and within sentences, that no test of the pages runs, each with the reason. What fits nothing here has to be run. */
export const NOT_RUN: { page: string | undefined; command: RegExp; why: string }[] = [
  {
    page: 'docs/commands.md',
    command: /^nightshift /,
    why: 'the usage of each command, written by `npm run reference` and compared with it',
  },
  {
    page: 'docs/story.md',
    command: /^npx nightshift /,
    why: 'written by `npm run story`, which runs them; test/fixtures/story.test.ts does too',
  },
  {
    page: 'docs/walks.md',
    command: /^(?:git clone|python3 train\.py|cp DATA)\b/,
    why: 'from outside: test/docs/walks.test.ts does what it does',
  },
  {
    page: undefined,
    command: /^npm (?:ci|init|i)\b/,
    why: 'downloads packages: `npm run check:node` installs and begins a project with each version of Node',
  },
  {
    page: 'README.md',
    command: /^npm run demo$/,
    why: 'takes a minute: CI runs it',
  },
  { page: 'README.md', command: /^npm test$/, why: 'runs this' },
  {
    page: 'README.md',
    command: /^npx nightshift run churn --as-of 2026-11-29$/,
    why: 'an extract of what `npm run demo` prints',
  },
  {
    page: 'docs/deploying.md',
    command: /^npx nightshift init shop$/,
    why: 'within the installed package: `npm run check:node`',
  },
  {
    page: 'docs/monitoring.md',
    command: /^npx nightshift user add /,
    why: 'asks for a password: test/cli/commands/user.test.ts',
  },
  {
    page: 'docs/deploying.md',
    command: /^nightshift user add$/,
    why: 'asks for a password: test/cli/commands/user.test.ts',
  },
  {
    page: 'docs/deploying.md',
    command: /^npx nightshift ledger rm NAME$/,
    why: 'removes an embedded ledger of the user: test/cli/commands/ledger.test.ts has some to remove',
  },
  {
    page: 'docs/remedies.md',
    command: /^nightshift /,
    why: 'written by `npm run remedies`, which tries each; test/alerts/remedies does too',
  },
  {
    page: undefined,
    command: /^nightshift (?:dataset|refresh|register|retrain)$/,
    why: 'the name of the command, in a sentence: it needs arguments',
  },
  { page: undefined, command: /^export AWS_/, why: 'sets variables of the shell' },
  {
    page: 'docs/notebooks.md',
    command: /^npx nightshift parity lapse .*--file mine\.parquet$/,
    why: 'its file is written by the Python above it, which needs pandas: parity with files is tested in test/cli/commands/parity.test.ts',
  },
]

/** Blocks without a language and without a command, by page and first words, and what checks them. */
export const NO_COMMANDS: { page: string; begins: string; why: string }[] = [
  { page: 'docs/architecture.md', begins: 'files of the project', why: 'a drawing' },
  { page: 'docs/deploying.md', begins: '# /etc/systemd', why: 'a unit: its commands are checked below' },
  {
    page: 'docs/examples.md',
    begins: 'FAILED',
    why: 'what `nightshift test` prints: test/pipeline/examples',
  },
  { page: 'docs/mails.md', begins: 'Subject: churn', why: 'a mail: test/alerts/letters compares it' },
  { page: 'docs/notebooks.md', begins: 'customer_id', why: 'what pandas prints' },
  { page: 'docs/notebooks.md', begins: '┌', why: 'what polars prints' },
  {
    page: 'docs/quick-start.md',
    begins: 'lapse 2026',
    why: 'what the command above it prints: the shop compares it',
  },
  {
    page: 'docs/outcomes.md',
    begins: 'as of',
    why: 'what `outcomes churn --measure` prints: the telecom example compares it',
  },
  { page: 'docs/walks.md', begins: 'inputs:', why: 'a line of model.yaml' },
]
