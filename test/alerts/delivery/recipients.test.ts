import { expect, test } from 'vitest'
import { concernedBy, notifiedBySubject, unnotifiedText } from '../../../src/alerts/delivery/recipients.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import type { Project } from '../../../src/project/project.ts'
import { temporaryProject } from '../../projects/cdnow.ts'

const view = (name: string, owner: string) => `view: ${name}
entity: id
owner: ${owner}
sources: { events: { path: data/*.parquet, kind: events, event_time: at } }
`
const model = (name: string, of: string, rest: string) => `model: ${name}
view: ${of}
score: { column: score }
${rest}
`

async function loaded(files: Record<string, string>): Promise<Project> {
  const { root, remove } = await temporaryProject({
    'nightshift.yaml': 'project: told\ntimezone: UTC\n',
    ...files,
  })
  try {
    return openProject(root)
  } finally {
    await remove()
  }
}

const FILES = {
  'features/old/view.yaml': view('old', 'data@example.com'),
  'features/old/features.sql': 'SELECT id FROM events',
  'features/new/view.yaml': view('new', 'the data team'),
  'features/new/features.sql': 'SELECT id FROM events',
  'features/alone/view.yaml': view('alone', 'alone@example.com'),
  'features/alone/features.sql': 'SELECT id FROM events',
  'features/nobody/view.yaml': view('nobody', 'the data team'),
  'features/nobody/features.sql': 'SELECT id FROM events',
  'models/churn/model.yaml': model('churn', 'new', 'owner: crm@example.com\non_call: [ann@example.com]'),
  'models/churn/labels.sql': '',
  'models/ltv/model.yaml': model('ltv', 'new', 'owner: crm@example.com\non_call: [ltv@example.com]'),
  'models/ltv/labels.sql': '',
}

test('every model and every view has those who are told of it, the models of live versions included', async () => {
  const project = await loaded(FILES)
  const told = Object.fromEntries(
    notifiedBySubject(project, { churn: 'old' }).map(({ kind, name, addresses }) => [
      `${kind} ${name}`,
      addresses,
    ]),
  )
  expect(told).toEqual({
    'model churn': ['ann@example.com'],
    'model ltv': ['ltv@example.com'],
    'view alone': ['alone@example.com'],
    'view new': ['ann@example.com', 'ltv@example.com'],
    'view nobody': [],
    'view old': ['ann@example.com'],
  })
  expect(concernedBy(project, { kind: 'view', name: 'old' }, {}).map(({ name }) => name)).toEqual([])
})

test('a view whose failure reaches nobody is named with the file to write in', async () => {
  const unheard = notifiedBySubject(await loaded(FILES), {}).filter(({ addresses }) => addresses.length === 0)
  expect(unheard.map(unnotifiedText)).toEqual([
    'nobody is notified when view nobody fails: write a mail address as owner in features/nobody/view.yaml, or on_call of a model that is scored on it',
  ])
})

test.each([
  'ann@-example.com',
  'ann@example.com-',
  'ännchen@example.com',
  'a..b@example.com',
  '.ann@example.com',
  `${'a'.repeat(65)}@example.com`,
  `ann@${'a'.repeat(64)}.com`,
  'ann@exam_ple.com',
])('an address that cannot be mailed is refused where it is written: %s', async (address) => {
  const churn = (rest: string) => loaded({ ...FILES, 'models/churn/model.yaml': model('churn', 'new', rest) })
  await expect(churn(`owner: x@example.com\non_call: ["${address}"]`)).rejects.toThrow('one mail address')
  await expect(churn(`owner: "${address}"`)).rejects.toThrow('one mail address')
  await expect(
    loaded({ ...FILES, 'features/alone/view.yaml': view('alone', `"${address}"`) }),
  ).rejects.toThrow('one mail address')
})
