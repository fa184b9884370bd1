import { readFileSync } from 'node:fs'
import type { EngineBounds } from '../../pipeline/engine/engine-bounds.ts'
import { type Amount, amountIn, USUAL_AMOUNT } from '../../project/amount.ts'
import type { MachineMemory } from '../machine-memory.ts'

/** `memory` and `temp` of nightshift.yaml. */
export interface MemorySettings {
  memory: Amount
  temp: Amount
}

/** What all compute children of one process may use together, and what each of them gets of it. */
export interface MemoryShares {
  /** In bytes. */
  total: number
  /** The setting, and what it was taken of. */
  text: string
  /** Of a task in a place, and of a check of a night: parity computes the features once more. */
  place: EngineBounds
  /** Of a version in shadow, which scores what is there. */
  shadow: EngineBounds
}

/** This process itself, with the ledger's connections and pages. */
const SUPERVISOR_BYTES = 300e6
const LEAST_BYTES = 100e6

/**
 * Divides memory over the tasks that can run at once: two parts for each place and each check, one for a
 * version in shadow. Each may spill what `temp` says. Fixed shares, so that a night takes and spills the same whatever runs beside it.
 */
export function divideMemory(
  machine: MachineMemory,
  { places, monitors }: { places: number; monitors: number },
  { memory, temp }: MemorySettings = { memory: USUAL_AMOUNT, temp: USUAL_AMOUNT },
): MemoryShares {
  const total = Math.min(amountIn(memory, machine.bytes), machine.bytes)
  const parts = 2 * (places + monitors) + 1
  const part = Math.max(LEAST_BYTES, total - SUPERVISOR_BYTES) / parts
  const bounds = (count: number): EngineBounds => ({
    memory: Math.floor(part * count),
    temp: { bytes: temp.bytes, share: temp.share },
  })
  const text = memory.bytes === undefined ? `${memory.text} of ${machine.of}` : memory.text
  return { total, text, place: bounds(2), shadow: bounds(1) }
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
