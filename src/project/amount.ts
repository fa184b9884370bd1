/** An amount of memory or of disk: so many bytes, or a share of what the machine has. Plain data. */
export interface Amount {
  text: string
  /** Undefined where it is a share. */
  bytes: number | undefined
  /** Above 0, at most 1. Undefined where it is in bytes. */
  share: number | undefined
}

/** Of memory and of free disk, where the project does not say. */
export const USUAL_AMOUNT: Amount = { text: '75%', bytes: undefined, share: 0.75 }

/** Of the disk for cached objects, where the project does not say. */
export const USUAL_CACHE: Amount = { text: '50%', bytes: undefined, share: 0.5 }

export const AMOUNT_PATTERN = /^(?:(\d{1,9}(?:\.\d{1,3})?) ?([kKMGT]i?B)|(\d{1,3}(?:\.\d{1,2})?) ?%)$/
export const BYTES_PATTERN = /^\d{1,9}(?:\.\d{1,3})? ?[kKMGT]i?B$/
export const AMOUNT_LEGAL = 'a size such as 800MB, 12GB or 1.5TB (or MiB, GiB, TiB), or a share such as 75%'

const POWERS = ['K', 'M', 'G', 'T']

/** Reads `800MB`, `12GB`, `11.5GiB`, `75%`; undefined if the text is no amount above zero, or a share above 100 %. */
export function readAmount(text: string): Amount | undefined {
  const [, count, unit = '', share] = AMOUNT_PATTERN.exec(text) ?? []
  if (share !== undefined) {
    const part = Number(share) / 100
    return part > 0 && part <= 1 ? { text, bytes: undefined, share: part } : undefined
  }
  const base = unit.toLowerCase().includes('i') ? 1024 : 1000
  const bytes = Math.floor(Number(count) * base ** (POWERS.indexOf(unit.charAt(0).toUpperCase()) + 1))
  return bytes > 0 ? { text, bytes, share: undefined } : undefined
}

/** An amount in bytes, where `whole` bytes are there. More than that is for the caller to judge. */
export function amountIn({ bytes, share }: Pick<Amount, 'bytes' | 'share'>, whole: number): number {
  return bytes ?? Math.floor((share ?? 1) * whole)
}
