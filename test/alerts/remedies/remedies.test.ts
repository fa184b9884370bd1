import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REMEDIES, type Step, type StepName } from '../../../src/failures/remedies.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'
import { type Ground, openGround, type Subject } from './ground.ts'
import { COMPARED_VIEW, MODEL, SCENES, type Scene, SECOND_MODEL, SQL, VIEW, writeCompared } from './scenes.ts'
import { withRows } from './table.ts'

const PAGE = 'docs/remedies.md'
const IS_ROOT = process.getuid?.() === 0
/** The queue in this Redis; not set: in PostgreSQL. */
const REDIS = process.env.NIGHTSHIFT_REMEDIES_REDIS

/** What holds after a command that changes something, if it does what it says. */
const CHANGING: Partial<Record<StepName, string>> = {
  again: 'published, incident closed',
  forced: 'published, incident closed',
  night: 'published, incident closed',
  promote: 'version 1 is live',
  readers: 'scored on the newest features',
  release: 'published, incident closed',
  rollback: 'version 1 is live',
  skip: 'skipped, incident closed',
}

/** What a command that only reads has to print. */
const READING: Partial<Record<StepName, RegExp>> = {
  check: /value|version/,
  doctor: /database.*schema is current/,
  history: /promoted/,
  parity: /[1-9]\d* differing/,
  show: /failure {4}\S+: \S+/,
  status: /\d{4}-\d\d-\d\d/,
  validate: /\S/,
  versions: /version|no versions/,
}

/** Which button of a night's page does the same as a command. */
const BUTTONS: Partial<Record<StepName, RegExp>> = {
  again: /^\/runs\/\w+\/retry$/,
  release: /^\/runs\/\w+\/release$/,
  skip: /^\/slots\/\w+\/\w+\/[\d-]+\/skip$/,
}

let project: TemporaryProject
let ground: Ground
const rows: string[][] = []
let day = Date.parse('2026-03-02')
const nextNight = () => {
  const night = new Date(day).toISOString().slice(0, 10)
  day += 86_400_000
  return night
}

beforeAll(async () => {
  project = await generatedProject({ customers: 20, sql: SQL })
  await project.write('features/activity/view.yaml', VIEW)
  await project.write('models/value/model.yaml', MODEL)
  await project.write('features/lines/view.yaml', VIEW.replace('view: activity', 'view: lines'))
  await project.write(
    'features/lines/features.sql',
    'SELECT customer_id, amount::FLOAT AS amount FROM events\n',
  )
  await project.write('features/compared/view.yaml', COMPARED_VIEW)
  await project.write('features/compared/features.sql', SQL)
  await project.write('models/second/model.yaml', SECOND_MODEL)
  await writeCompared(project.root, 1)
  ground = await openGround(project, {
    from: new Date(Date.now() - 12 * 3_600_000).toISOString(),
    redisUrl: REDIS,
  })
  await ground.life.hire()
})
afterAll(async () => {
  await ground?.close()
  await project?.remove()
})

test.each(SCENES.filter(({ needsRoot }) => needsRoot !== true || IS_ROOT))('$kind: $cause', async (scene) => {
  const { kind, cause } = scene
  const { steps } = REMEDIES[kind].find((each) => each.cause === cause) ?? { steps: [] }
  const changing = steps.map(nameOf).filter((step) => CHANGING[step] !== undefined)
  // Skipping first: it needs nothing mended.
  const alone = changing
    .filter((step) => scene.together?.includes(step) !== true)
    .sort((a, b) => Number(b === 'skip') - Number(a === 'skip'))
  const ways = [scene.together ?? [], ...alone.map((step) => [step])].filter((way) => way.length > 0)
  const after = new Map<string, string>()
  try {
    // A night that needs nothing from anybody gets well by itself.
    for (const [index, way] of (ways.length === 0 ? [[]] : ways).entries()) {
      const [step] = way
      const button = way.length === 1 && step !== undefined && BUTTONS[step] !== undefined ? step : undefined
      // Each is the same function for all: it is pressed, and `skip` is typed, once for views and once for models.
      const isFirst = button !== undefined && isNew(`${button} ${scene.subject.kind}`)
      const reading = index === 0 ? steps.map(nameOf) : []
      if (step !== 'skip' || isFirst || reading.length > 0)
        await play(scene, nextNight(), { way, reading, after })
      if (button === 'skip' || isFirst) await press(scene, nextNight(), button, after)
    }
  } finally {
    await scene.leave?.(ground)
  }
  for (const step of steps.map(nameOf)) {
    const done = after.get(step)
    const pressed = after.get(`button ${step}`)
    if (done === undefined && pressed === undefined) throw new Error(`the command ${step} was not run`)
    const command = `\`${written.get(`${cause} ${step}`)}\``
    if (done !== undefined) rows.push([kind, cause, command, done])
    if (pressed !== undefined)
      rows.push([kind, cause, `the button that does \`${step}\``.replace('again', 'retry'), pressed])
  }
})

test.runIf(IS_ROOT)(
  'every cause of the table was made to happen, and the page says what came of each command',
  () => {
    const played = new Set(SCENES.map(({ kind, cause }) => `${kind}: ${cause}`))
    // The same row stands with four classes.
    const unpublished = 'the output is computed, but cannot be moved into place'
    const missing = Object.entries(REMEDIES).flatMap(([kind, remedies]) =>
      remedies
        .filter(({ cause }) => cause !== unpublished && !played.has(`${kind}: ${cause}`))
        .map(({ cause }) => `${kind}: ${cause}`),
    )
    expect(missing).toEqual(NOT_PLAYED)
    const page = readFileSync(PAGE, 'utf8')
    const now = withRows(page, rows)
    if (process.env.NIGHTSHIFT_REMEDIES === 'write') writeFileSync(PAGE, now)
    else expect(now).toBe(page)
  },
)

const seen = new Set<string>()
function isNew(what: string): boolean {
  if (seen.has(what)) return false
  seen.add(what)
  return true
}

/** Not made to happen yet. Nothing opens incidents of `retrain`: its owners are mailed. */
const NOT_PLAYED = [
  'deadline: no worker has taken it',
  'deadline: it waits for data',
  'deadline: it is still running',
  'deadline: it has not started',
  'given-up: catch_up skipped the night',
  'drift: columns moved',
  'quality: worse since a promotion, and the model can be retrained',
  'quality: worse since a promotion',
  'quality: the live version is worse, and can be retrained',
  'quality: the live version is worse',
  'quality: a version that is not live any more was worse',
  'unchecked: the comparison of serving with training was not completed',
  'unchecked: the drift check was not completed',
  'retrain: the training command failed',
]
/** Each command as the mail has it, without what is another every time. */
const written = new Map<string, string>()

function nameOf(step: Step): StepName {
  return typeof step === 'string' ? step : step.command
}

/** Makes the night fail, and follows commands of its mail, one after the other. */
async function play(
  scene: Scene,
  night: string,
  { way, reading, after }: { way: StepName[]; reading: StepName[]; after: Map<string, string> },
): Promise<void> {
  const { cause, subject } = scene
  try {
    const mail = await fail(scene, night)
    for (const { step, command } of mail.commands)
      written.set(`${cause} ${step}`, plain(command, mail.incident.facts.run, night))
    const buttons = await ground.buttons(nightPage(subject, night))
    for (const { step } of mail.commands) {
      const button = step === 'again' && scene.hasNoRun === true ? undefined : BUTTONS[step]
      if (button !== undefined)
        expect(
          buttons.filter((action) => button.test(action)),
          step,
        ).toHaveLength(1)
    }
    for (const { step, command } of mail.commands) {
      const says = reading.includes(step) ? READING[step] : undefined
      if (says === undefined) continue
      after.set(step, way.length > 0 ? 'read; nothing changes' : 'read; gets well by itself, incident closed')
      // Each is run once for views and once for models.
      if (!isNew(`${step} ${subject.kind}`)) continue
      const before = await outcome(scene, step, night)
      const { code, stdout, stderr } = await ground.paste(command)
      expect(stdout + stderr, command).toMatch(says)
      // 2 is the answer to a wrong call, and what `validate` says of wrong files.
      expect(step === 'validate' ? [0, 1, 2] : [0, 1], `${command}\n${stdout}\n${stderr}`).toContain(code)
      if (way.length > 0) expect(await outcome(scene, step, night), command).toBe(before)
    }
    if (way.length > 1) await scene.cure?.(ground)
    for (const step of way) {
      const command = mail.commands.find((each) => each.step === step)
      if (command === undefined) throw new Error(`the mail has no command to ${step}`)
      if (scene.together === undefined) await scene.mend?.(ground, night, step)
      const { code, stdout, stderr } = await ground.paste(command.command)
      await ground.pass(1)
      // A comparison follows its night.
      if (subject.name === 'compared')
        await ground.until(async () => (await ground.open(subject)).length === 0)
      const held = await outcome(scene, step, night)
      const is = code === 0 ? held : `refused, ${held}`
      expect(is, `${command.command}\n${stdout}\n${stderr}`).toBe(expected(scene, step))
      after.set(step, is)
    }
  } finally {
    await scene.mend?.(ground, night, undefined)
    if (way.length === 0) await ground.until(async () => (await ground.open(subject)).length === 0)
    await settle(subject, night)
  }
}

/** Makes the night fail again, and presses the button of its page that does the same as a command. */
async function press(scene: Scene, night: string, step: StepName, after: Map<string, string>): Promise<void> {
  const { subject } = scene
  if (step === 'again' && scene.hasNoRun === true) return
  try {
    await fail(scene, night)
    const page = nightPage(subject, night)
    await scene.mend?.(ground, night, step)
    const button = (await ground.buttons(page)).find((action) => BUTTONS[step]?.test(action))
    if (button === undefined) throw new Error(`${page} has no button for ${step}`)
    expect((await ground.press(page, button)).status).toBe(303)
    await ground.pass(1)
    await ground.pass(1)
    const is = await outcome(scene, step, night)
    expect(is, `the button for ${step}`).toBe(expected(scene, step))
    after.set(`button ${step}`, is)
  } finally {
    await scene.mend?.(ground, night, undefined)
    await settle(subject, night)
  }
}

async function fail(scene: Scene, night: string) {
  await scene.make(ground, night)
  const mail = await ground.mail(scene.subject)
  expect({ kind: mail.incident.kind, cause: mail.cause }).toEqual({ kind: scene.kind, cause: scene.cause })
  return mail
}

function expected({ subject, after }: Scene, step: StepName): string | undefined {
  const of = after?.[step] ?? CHANGING[step]
  return subject.kind === 'scores' ? of?.replace(/^published,/, 'published with version 1,') : of
}

/** What holds after a command. */
async function outcome({ subject }: Scene, step: StepName, night: string): Promise<string> {
  if (step === 'rollback' || step === 'promote') {
    const version = await ground.champion(subject.name)
    return version === null ? 'no version is live' : `version ${version} is live`
  }
  if (step === 'readers')
    return (await ground.areScoresCurrent('second', night))
      ? 'scored on the newest features'
      : 'scored on older features'
  const open = await ground.open(subject)
  const version = await ground.publishedVersion(subject, night)
  const state = `${await ground.state(subject, night)}${version === null ? '' : ` with version ${version}`}`
  return `${state}, incident ${open.length === 0 ? 'closed' : 'open'}`
}

/** Skips what is still open, by the button of its page. */
async function settle(subject: Subject, night: string): Promise<void> {
  for (const open of await ground.open(subject)) {
    const page = nightPage(subject, open.facts.partition ?? night)
    const skip = (await ground.buttons(page)).find((action) => BUTTONS.skip?.test(action))
    if (skip !== undefined) await ground.press(page, skip)
  }
  await ground.pass(1)
  expect(await ground.open(subject)).toEqual([])
}

function nightPage({ kind, name }: Subject, night: string): string {
  return `/nights/${name}/${night}?kind=${kind}`
}

function plain(command: string, run: string | undefined, night: string): string {
  const named = run === undefined ? command : command.replaceAll(run, 'RUN')
  return named.replaceAll(night, 'D').replace(/^npx /, '')
}
