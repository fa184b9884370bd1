import type { DescribedCommand } from '../src/cli/terminal/program.ts'

/** A JSON Schema, as far as the pages show it. */
interface Schema {
  type?: string
  description?: string
  default?: unknown
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema | boolean
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  pattern?: string
  minimum?: number
  maximum?: number
}

/** Every command, by the groups of `--help`. */
export function commandsPage(commands: DescribedCommand[]): string {
  const groups = [...new Set(commands.map(({ group }) => group))]
  const parts = groups.map((group) =>
    [
      `## ${group.replace(/:$/, '')}`,
      ...commands.filter((each) => each.group === group).map(commandPart),
    ].join('\n\n'),
  )
  return `${[
    '# Commands',
    'Written by `npm run reference` from what `nightshift --help` says.',
    'Each command finds the project by `--project DIR`, else by `NIGHTSHIFT_PROJECT`, else in the working folder or the nearest one above it. A night is a date (`2026-11-22`), an hour (`2026-11-22T03Z`), or `latest`, `yesterday`, `today`. `--debug` shows stack traces. Without a live worker, a command that waits for runs executes them itself.',
    'Exit codes: 0 done; 1 the work failed or is held; 2 the call or the configuration is wrong; 130 or 143 Ctrl-C or SIGTERM came. In `--json` and CSV output `as_of` is the name of a night’s partition, as `--as-of` takes it; some outputs also have the instant, as `instant`.',
    'Shells complete commands, options and the names of models and views: `eval "$(nightshift completion bash)"` in `.bashrc`, the same with `zsh` in `.zshrc`, `nightshift completion fish > ~/.config/fish/completions/nightshift.fish`. This works for a command that is typed as `nightshift`, as `npm install -g` or `npm link` make it.',
    ...parts,
  ].join('\n\n')}\n`
}

function commandPart({ usage, description, options }: DescribedCommand): string {
  const [, name = ''] = usage.split(' ')
  const rows = options.map(
    (option) =>
      `| \`${option.flags.replaceAll('|', '\\|')}\` | ${cell(option.description)}${option.required ? '; required' : ''}${option.default === undefined ? '' : `; default \`${option.default}\``} |`,
  )
  const table = rows.length === 0 ? [] : [['| option | |', '| --- | --- |', ...rows].join('\n')]
  return [`### ${name}`, `\`\`\`\n${usage}\n\`\`\``, sentence(description), ...table].join('\n\n')
}

const FILES: Record<string, string> = {
  'settings.schema.json': 'nightshift.yaml',
  'view.schema.json': 'features/VIEW/view.yaml',
  'model.schema.json': 'models/MODEL/model.yaml',
  'schedule.schema.json': 'schedules/NAME.yaml',
  'example.schema.json': 'features/VIEW/examples/NAME.yaml',
}

/** Every key of every file, with its values and its default. */
export function filesPage(schemas: Record<string, string>): string {
  const parts = Object.entries(FILES).map(([schema, file]) => {
    const rows = keysOf(JSON.parse(schemas[schema] ?? '{}') as Schema, '')
    return `## ${file}\n\n| key | values | |\n| --- | --- | --- |\n${rows.join('\n')}`
  })
  return `${[
    '# Files',
    'Written by `npm run reference` from the schemas in [schemas/](../schemas), which editors complete and check by. Keys in bold are required. A duration is a number and a unit: `30s`, `15m`, `4h`, `7d`, `2w`.',
    ...parts,
  ].join('\n\n')}\n`
}

function keysOf(schema: Schema, path: string): string[] {
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const name = path === '' ? key : `${path}.${key}`
    const shown = required.has(key) ? `**\`${name}\`**` : `\`${name}\``
    const standard =
      value.default === undefined || isEmpty(value.default) ? '' : `; default \`${text(value.default)}\``
    return [
      `| ${shown} | ${cell(valuesOf(value))}${cell(standard)} | ${cell(value.description ?? '')} |`,
      ...within(value, name),
    ]
  })
}

/** The keys below a key: of a map, of the values of a map with names of one's own, of the entries of a list. */
function within(schema: Schema, name: string): string[] {
  const own = schema.properties === undefined ? [] : keysOf(schema, name)
  const named =
    typeof schema.additionalProperties === 'object'
      ? choices(schema.additionalProperties, `${name}.NAME`)
      : []
  const entries = schema.items === undefined ? [] : choices(schema.items, `${name}[]`)
  const others = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((each) => within(each, name))
  return [...own, ...named, ...entries, ...others]
}

/** One of several shapes, such as a source of one kind, is named by its constant. */
function choices(schema: Schema, name: string): string[] {
  const shapes = schema.oneOf ?? schema.anyOf
  if (shapes === undefined) return keysOf(schema, name)
  return shapes.flatMap((shape) => {
    const constant = Object.entries(shape.properties ?? {}).find(([, value]) => value.const !== undefined)
    const title = constant === undefined ? name : `${name} (${constant[0]}: ${text(constant[1].const)})`
    return keysOf(shape, title)
  })
}

function valuesOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${text(schema.const)}\``
  if (schema.enum !== undefined) return schema.enum.map((each) => `\`${text(each)}\``).join(', ')
  const several = schema.anyOf ?? schema.oneOf
  if (several !== undefined) return [...new Set(several.map(valuesOf))].join(' or ')
  if (schema.pattern?.includes('(s|m|h|d|w)') === true) return 'duration'
  if (schema.type === 'array')
    return `list${schema.items === undefined ? '' : ` of ${valuesOf(schema.items)}`}`
  if (schema.type === 'object') return 'map'
  if (schema.type === 'integer') return `whole number${range(schema)}`
  if (schema.type === 'number') return `number${range(schema)}`
  if (schema.type === 'boolean') return '`true`, `false`'
  return schema.type === 'string' ? 'text' : 'any'
}

function range({ minimum, maximum }: Schema): string {
  const isOpen = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER
  if (minimum === undefined) return isOpen ? '' : ` up to ${maximum}`
  return isOpen ? ` from ${minimum}` : ` from ${minimum} to ${maximum}`
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function cell(words: string): string {
  return words.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}
