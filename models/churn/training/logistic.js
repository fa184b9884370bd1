/** Logistic regression over standardised columns, missing values at the mean, fitted by Newton's method. */

const ROUNDS = 25

/** `columns`: float32, NaN is missing. `label`: zeros and ones. `ridge`: on the squared weights. */
export function fitLogistic(columns, label, { ridge }) {
  const moments = columns.map(momentsOf)
  const rows = label.length
  const width = columns.length + 1
  const x = columns.map((column, index) =>
    Float64Array.from(column, (value) =>
      Number.isNaN(value) ? 0 : (value - moments[index].mean) * moments[index].scale,
    ),
  )
  const at = (row, column) => (column === 0 ? 1 : x[column - 1][row])
  const weights = new Float64Array(width)
  for (let round = 0; round < ROUNDS; round++) {
    const gradient = new Float64Array(width)
    const hessian = Array.from({ length: width }, () => new Float64Array(width))
    for (let row = 0; row < rows; row++) {
      let margin = 0
      for (let a = 0; a < width; a++) margin += weights[a] * at(row, a)
      const p = 1 / (1 + Math.exp(-margin))
      for (let a = 0; a < width; a++) {
        gradient[a] += (p - label[row]) * at(row, a)
        const share = p * (1 - p) * at(row, a)
        for (let b = 0; b <= a; b++) hessian[a][b] += share * at(row, b)
      }
    }
    for (let a = 0; a < width; a++) {
      // The intercept carries no ridge; a trace of it keeps columns of one value solvable.
      hessian[a][a] += (a === 0 ? 0 : ridge) + 1e-9
      gradient[a] += (a === 0 ? 0 : ridge) * weights[a]
    }
    const step = solve(hessian, gradient)
    for (let a = 0; a < width; a++) weights[a] -= step[a]
    if (Math.max(...step.map(Math.abs)) < 1e-9) break
  }
  const [intercept, ...weight] = Array.from(weights, Math.fround)
  return {
    mean: moments.map(({ mean }) => mean),
    scale: moments.map(({ scale }) => scale),
    weight,
    intercept,
  }
}

function momentsOf(column) {
  const present = column.filter((value) => !Number.isNaN(value))
  const count = Math.max(present.length, 1)
  const mean = present.reduce((sum, value) => sum + value, 0) / count
  const variance = present.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count
  return { mean: Math.fround(mean), scale: variance === 0 ? 0 : Math.fround(1 / Math.sqrt(variance)) }
}

/** Solves a symmetric system by Cholesky; only the lower half of `matrix` is read, and it is overwritten. */
function solve(matrix, right) {
  const width = right.length
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i][j]
      for (let k = 0; k < j; k++) sum -= matrix[i][k] * matrix[j][k]
      matrix[i][j] = i === j ? Math.sqrt(sum) : sum / matrix[j][j]
    }
  }
  const solution = Array.from(right)
  for (let i = 0; i < width; i++) {
    for (let k = 0; k < i; k++) solution[i] -= matrix[i][k] * solution[k]
    solution[i] /= matrix[i][i]
  }
  for (let i = width - 1; i >= 0; i--) {
    for (let k = i + 1; k < width; k++) solution[i] -= matrix[k][i] * solution[k]
    solution[i] /= matrix[i][i]
  }
  return solution
}
