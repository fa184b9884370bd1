import { readFileSync } from 'node:fs'
import type { EngineBounds } from '../../pipeline/engine/engine-bounds.ts'
import { type Amount, amountIn, USUAL_AMOUNT } from '../../project/amount.ts'
import type { MachineMemory } from '../machine-memory.ts'

/** `memory` and `temp` of nightshift.yaml. */
export interface MemorySettings {
  memory: Amount
  temp: Amount
}

/** Kinds of tasks that can run at once: in a place, as a check of a night, as a version in shadow. */
export type Slot = 'place' | 'check' | 'shadow'

/** What all compute children of one process may use together. All in bytes. */
export interface MemoryPlan {
  total: number
  /** The setting, and what it was taken of. */
  text: string
  /** Without what this process itself takes. */
  usable: number
  /** How many tasks of each kind can run at once. */
  slots: Record<Slot, number>
  /** What each would have if all ran. */
  even: Record<Slot, number>
  temp: EngineBounds['temp']
}

/** A task that runs, and its share. */
export interface Granted {
  slot: Slot
  bytes: number
}

/** This process itself, with the ledger's connections and pages. */
const SUPERVISOR_BYTES = 300e6
const LEAST_BYTES = 100e6
/** A check computes its night's features once more; a version in shadow scores what is there. */
const PARTS: Record<Slot, number> = { place: 2, check: 2, shadow: 1 }
const SLOTS = ['place', 'check', 'shadow'] as const

export function planMemory(
  machine: MachineMemory,
  { places, monitors }: { places: number; monitors: number },
  { memory, temp }: MemorySettings = { memory: USUAL_AMOUNT, temp: USUAL_AMOUNT },
): MemoryPlan {
  const total = Math.min(amountIn(memory, machine.bytes), machine.bytes)
  const usable = Math.max(LEAST_BYTES, total - SUPERVISOR_BYTES)
  const slots = { place: places, check: monitors, shadow: 1 }
  const part = usable / SLOTS.reduce((sum, slot) => sum + PARTS[slot] * slots[slot], 0)
  return {
    total,
    text: memory.bytes === undefined ? `${memory.text} of ${machine.of}` : memory.text,
    usable,
    slots,
    even: { place: 2 * part, check: 2 * part, shadow: part },
    temp: { bytes: temp.bytes, share: temp.share },
  }
}

/**
 * The share of a task that starts: what nobody has, while half of an even share stays for each task that may still start. So one
 * night alone has most of it, and whoever comes later at least that half. Tasks that do not grow with the rows (`modest`, such as
 * scoring) take an even share at most. The shares of all that run come to no more than the whole.
 */
export function grantMemory(plan: MemoryPlan, running: Granted[], slot: Slot, modest: boolean): number {
  const started = [...running.map((each) => each.slot), slot]
  const reserved = SLOTS.reduce((sum, each) => {
    const open = plan.slots[each] - started.filter((other) => other === each).length
    return sum + (Math.max(0, open) * plan.even[each]) / 2
  }, 0)
  const free = plan.usable - reserved - running.reduce((sum, { bytes }) => sum + bytes, 0)
  const share = modest ? Math.min(free, plan.even[slot]) : free
  return Math.floor(Math.max(share, plan.even[slot] / 2))
}

/**
 * Memory that is a process's own, in bytes, without the programs that it shares with others; undefined if the system does not
 * report it (Linux does).
 */
export function ownBytes(pid: number): number | undefined {
  try {
    const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number)
    if (resident === undefined || shared === undefined) return undefined
    return (resident - shared) * 4096
  } catch {
    return undefined
  }
}
