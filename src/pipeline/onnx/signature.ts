import type { Dimension, ModelValue } from './model-value.ts'

/** An input or output as people write it: `features (float32 [n, 10])`. */
export function signature({ name, type, shape }: ModelValue): string {
  return `${name} (${type}${shape === null ? '' : ` [${shape.map(dimension).join(', ')}]`})`
}

function dimension(size: Dimension, index: number): string {
  return typeof size === 'number' ? String(size) : index === 0 ? 'n' : '?'
}
