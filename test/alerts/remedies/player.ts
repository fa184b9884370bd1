import { expect } from 'vitest'
import { unmuteSubject } from '../../../src/actions/incidents/mute-subject.ts'
import { REMEDIES, type Step, type StepName } from '../../../src/failures/remedies.ts'
import type { Ground, Subject } from './ground.ts'
import type { Scene } from './scene.ts'
import { BUTTONS, effect, promised, READING } from './step-effects.ts'

/**
 * In the short form two causes of each kind happen, their mails are read and their first commands pasted; other causes happen, and
 * commands that views or models have shown with another cause are pasted, in full alone (`npm run test:faults`, `npm run remedies`).
 */
export const IS_FULL =
  process.env.NIGHTSHIFT_FAULTS === 'full' || process.env.NIGHTSHIFT_REMEDIES !== undefined

const MOST_OF_A_KIND = 2

/** The scenes that this form plays. */
export function ofForm(scenes: Scene[]): Scene[] {
  if (IS_FULL) return scenes
  return scenes.filter(({ kind }, index) => {
    const before = scenes.slice(0, index).filter((scene) => scene.kind === kind)
    return before.length < MOST_OF_A_KIND
  })
}

/** Makes the causes of scenes happen on a ground, and follows their commands. */
export interface Player {
  /** Fails where a command or a button does not do what it promises. `only`: changes by these steps alone, and reads nothing. */
  play(scene: Scene, only?: StepName[]): Promise<void>
  /** Adds what came of a command that was played without a scene. */
  add(row: Row): void
  rows(): Row[]
}

/** Kind, cause, command or button, what holds after it. */
export type Row = [kind: string, cause: string, command: string, after: string]

/** One night of a scene. */
interface Take {
  scene: Scene
  night: string
  /** What came of each step of the scene until now; of buttons by `button STEP`. */
  after: Map<string, string>
  /** Each command as the mails have it, without what is another every time. */
  written: Map<StepName, string>
}

/** @param first the first night */
export function openPlayer(ground: Ground, { first }: { first: string }): Player {
  const rows: Row[] = []
  let day = Date.parse(first)
  const seen = new Set<string>()
  let onIncident = false

  function nextNight(nights = 1): string {
    const night = new Date(day).toISOString().slice(0, 10)
    day += nights * 86_400_000
    return night
  }

  /** What does the same for all is done once for views and once for models. */
  function isNew(what: string): boolean {
    if (seen.has(what)) return false
    seen.add(what)
    return true
  }

  /** Follows commands of the mail, one after the other. */
  async function paste(
    take: Take,
    { way, reading }: { way: StepName[]; reading: StepName[] },
  ): Promise<void> {
    const { scene, night, after } = take
    const { subject } = scene
    try {
      const mail = await fail(take)
      const changes = way.length > 0 || scene.settle !== undefined
      for (const { step, command } of mail.commands) {
        const says = reading.includes(step) ? (scene.says?.[step] ?? READING[step]) : undefined
        if (says === undefined || promised(scene, step) !== undefined) continue
        after.set(step, changes ? 'read; nothing changes' : 'read; gets well by itself, incident closed')
        if (!isNew(`${step} ${subject.kind} ${says}`)) continue
        const before = await effect(ground, scene, step, night)
        const { code, stdout, stderr } = await ground.paste(command)
        expect(stdout + stderr, command).toMatch(says)
        // 2 is the answer to a wrong call, and what `validate` says of wrong files.
        expect(step === 'validate' ? [0, 1, 2] : [0, 1], `${command}\n${stdout}\n${stderr}`).toContain(code)
        if (changes) expect(await effect(ground, scene, step, night), command).toBe(before)
      }
      if (way.length > 1) await scene.cure?.(ground)
      for (const step of way) {
        const command = mail.commands.find((each) => each.step === step)?.command
        if (command === undefined) throw new Error(`the mail has no command to ${step}`)
        if (scene.together === undefined) await scene.mend?.(ground, night, step)
        const { code, stdout, stderr } = await ground.paste(command)
        await ground.pass(1)
        const is = await became(take, step, code === 0 ? '' : 'refused, ')
        expect(is, `${command}\n${stdout}\n${stderr}`).toBe(promised(scene, step))
        after.set(step, is)
        if (step === 'mute' && isNew(step)) await isQuiet(scene, mail.incident.id)
      }
    } finally {
      await scene.mend?.(ground, night, undefined)
      if (way.length === 0 && scene.settle === undefined)
        await ground.until(async () => (await ground.open(subject)).length === 0)
      await settle(take)
    }
  }

  /** Makes the night fail again, and presses the button that does the same as a command: on the night's page and on the incident's in turn. */
  async function press(take: Take, step: StepName): Promise<void> {
    const { scene, night, after } = take
    if (step === 'again' && scene.hasNoRun === true) return
    try {
      const { incident } = await fail(take)
      onIncident = !onIncident
      const page = onIncident ? incidentPage(incident.id) : nightPage(scene.subject, night)
      await scene.mend?.(ground, night, step)
      const button = (await ground.buttons(page)).find((action) => BUTTONS[step]?.test(action))
      if (button === undefined) throw new Error(`${page} has no button for ${step}`)
      expect((await ground.press(page, button)).status).toBe(303)
      await ground.pass(1)
      await ground.pass(1)
      const is = await became(take, step)
      expect(is, `the button for ${step}`).toBe(promised(scene, step))
      after.set(`button ${step}`, is)
    } finally {
      await scene.mend?.(ground, night, undefined)
      await settle(take)
    }
  }

  async function fail({ scene, night, written }: Take) {
    const { kind, cause, subject } = scene
    await scene.make(ground, night)
    const mail = await ground.mail(subject, scene)
    expect({ kind: mail.incident.kind, cause: mail.cause }).toEqual({ kind, cause })
    for (const { step, command } of mail.commands)
      written.set(step, plain(command, mail.incident.facts.run, night))
    const expected = mail.commands.flatMap(({ step }) =>
      step === 'again' && scene.hasNoRun === true ? [] : (BUTTONS[step] ?? []),
    )
    // A closed incident has nothing left to press.
    for (const page of [
      nightPage(subject, night),
      ...(scene.isClosed ? [] : [incidentPage(mail.incident.id)]),
    ]) {
      const buttons = await ground.buttons(page)
      for (const button of expected)
        expect(
          buttons.filter((action) => button.test(action)),
          `${page}: ${button}`,
        ).toHaveLength(1)
    }
    return mail
  }

  /** What holds after a step. What follows a night takes its time: it is waited for. */
  async function became({ scene, night }: Take, step: StepName, refused = ''): Promise<string> {
    const now = async () => refused + (await effect(ground, scene, step, night))
    await ground.until(async () => (await now()) === promised(scene, step)).catch(() => {})
    return now()
  }

  /** A further night joins the incident, and nobody is mailed. */
  async function isQuiet(scene: Scene, incident: number): Promise<void> {
    const mails = () =>
      ground.life.mails.received.filter(({ mail }) => mail.subject?.includes(`(#${incident})`)).length
    const before = mails()
    await scene.make(ground, nextNight())
    await ground.pass(30)
    const [open] = await ground.open(scene.subject)
    expect({ id: open?.id, nights: open?.nights.length, mails: mails() }).toEqual({
      id: incident,
      nights: 2,
      mails: before,
    })
  }

  /** Skips what is still open, by the button of its page, where no other night ends it. */
  async function settle({ scene, night }: Take): Promise<void> {
    const { subject, kind } = scene
    await unmuteSubject(ground.life.database, subject.name, kind)
    if ((await ground.open(subject)).length > 0) await scene.settle?.(ground, nextNight())
    for (const open of await ground.open(subject)) {
      const page = nightPage(subject, open.facts.partition ?? night)
      const skip = (await ground.buttons(page)).find((action) => BUTTONS.skip?.test(action))
      if (skip !== undefined) await ground.press(page, skip)
    }
    await ground.pass(1)
    expect(await ground.open(subject)).toEqual([])
  }

  return {
    add: (row) => rows.push(row),
    rows: () => rows,
    async play(scene, only) {
      const { kind, cause, subject } = scene
      const after = new Map<string, string>()
      const written = new Map<StepName, string>()
      const steps = REMEDIES[kind].find((each) => each.cause === cause)?.steps.map(nameOf) ?? []
      const changing = steps.filter(
        (step) => promised(scene, step) !== undefined && only?.includes(step) !== false,
      )
      // Skipping first: it needs nothing mended.
      const alone = changing
        .filter((step) => scene.together?.includes(step) !== true)
        .sort((a, b) => Number(b === 'skip') - Number(a === 'skip'))
      const ways = [scene.together ?? [], ...alone.map((step) => [step])].filter((way) => way.length > 0)
      const take = (): Take => ({ scene, night: nextNight(scene.nights), after, written })
      try {
        // A night that needs nothing from anybody gets well by itself.
        for (const [index, way] of (ways.length === 0 ? [[]] : ways).entries()) {
          const [step] = way
          const button =
            way.length === 1 && step !== undefined && BUTTONS[step] !== undefined ? step : undefined
          const isFirst = button !== undefined && isNew(`button ${button} ${subject.kind}`)
          const reading = index === 0 && only === undefined ? steps : []
          const isShort = !IS_FULL && scene.isWhole !== true
          const isKnown = isShort && index > 0 && way.every((each) => seen.has(`${each} ${subject.kind}`))
          for (const each of way) seen.add(`${each} ${subject.kind}`)
          if (!isKnown && (step !== 'skip' || isFirst || reading.length > 0))
            await paste(take(), { way, reading })
          if (button !== undefined && (button === 'skip' || isFirst)) await press(take(), button)
        }
      } finally {
        await scene.leave?.(ground)
      }
      for (const step of steps) {
        const [done, pressed] = [after.get(step), after.get(`button ${step}`)]
        if (IS_FULL && only === undefined && done === undefined && pressed === undefined)
          throw new Error(`the command ${step} was not run`)
        if (done !== undefined) rows.push([kind, cause, `\`${written.get(step)}\``, done])
        if (pressed !== undefined)
          rows.push([kind, cause, `the button that does \`${step}\``.replace('again', 'retry'), pressed])
      }
    },
  }
}

function nameOf(step: Step): StepName {
  return typeof step === 'string' ? step : step.command
}

function nightPage({ kind, name }: Subject, night: string): string {
  return `/nights/${name}/${night}?kind=${kind}`
}

function incidentPage(id: number): string {
  return `/incidents/${id}`
}

function plain(command: string, run: string | undefined, night: string): string {
  const named = run === undefined ? command : command.replaceAll(run, 'RUN')
  return named
    .replaceAll(night, 'D')
    .replace(/\d{4}-\d\d-\d\d/, 'C')
    .replace(/^npx /, '')
}
