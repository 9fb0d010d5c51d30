/** Numbers row by row: `values[i * columns + j]`. */
export interface Matrix<Values extends Float32Array | Float64Array = Float64Array> {
  readonly values: Values
  readonly rows: number
  readonly columns: number
}

export type Records = Matrix<Float32Array>
export type Points = Matrix<Float64Array>

export function points(rows: number, columns: number, values?: Float64Array): Points {
  return { values: values ?? new Float64Array(rows * columns), rows, columns }
}

/** Copies of some rows, in the order given. */
export function chosen(of: Records, which: ArrayLike<number>): Records {
  const d = of.columns
  const values = new Float32Array(which.length * d)
  for (let i = 0; i < which.length; i++) {
    const from = (which[i] as number) * d
    values.set(of.values.subarray(from, from + d), i * d)
  }
  return { values, rows: which.length, columns: d }
}

/**
 * Solve `A x = b` for a symmetric positive definite `A` (m x m) and several `b`, by Cholesky.
 *
 * `a` is overwritten by the factor, and each of `several` by its solution.
 */
export function solve(a: Float64Array, m: number, several: readonly Float64Array[]): void {
  for (let j = 0; j < m; j++) {
    for (let i = j; i < m; i++) {
      let sum = a[i * m + j] as number
      for (let k = 0; k < j; k++) sum -= (a[i * m + k] as number) * (a[j * m + k] as number)
      // Points that fell together leave nothing on the diagonal but rounding.
      a[i * m + j] = i === j ? Math.sqrt(Math.max(sum, 1e-15)) : sum / (a[j * m + j] as number)
    }
  }
  for (const b of several) {
    for (let i = 0; i < m; i++) {
      let sum = b[i] as number
      for (let k = 0; k < i; k++) sum -= (a[i * m + k] as number) * (b[k] as number)
      b[i] = sum / (a[i * m + i] as number)
    }
    for (let i = m - 1; i >= 0; i--) {
      let sum = b[i] as number
      for (let k = i + 1; k < m; k++) sum -= (a[k * m + i] as number) * (b[k] as number)
      b[i] = sum / (a[i * m + i] as number)
    }
  }
}
