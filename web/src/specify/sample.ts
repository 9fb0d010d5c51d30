import { Lanes } from './lanes'
import { type Matrix, type Points, points, type Records } from './matrix'

/** Records in kernel units, and what a reduced set needs to know of them (`moving`). */
export class Sample {
  private readonly lanes: Lanes

  constructor(readonly records: Records) {
    this.lanes = new Lanes(records)
  }

  /** `c_i = (1/n) sum_l k(z_i, x_l)` of points. */
  meanEmbedding(at: Matrix<Float32Array | Float64Array>): Float64Array {
    return this.lanes.kernels(at).map((sum) => sum / (3 * this.records.rows))
  }

  /**
   * `c` and its gradient in each point.
   *
   * `dc_i/dz_i = -(1/n) sum_l g(z_i, x_l) (z_i - x_l)` with `g = (2/3)(t + 4 t^4 + 16 t^16)`.
   */
  pull(at: Points): { target: Float64Array; gradient: Float64Array } {
    const { kernels, steepness, drawn } = this.lanes.slopes(at)
    const n = this.records.rows
    const d = at.columns
    return {
      target: kernels.map((sum) => sum / (3 * n)),
      gradient: drawn.map((sum, k) => {
        const steep = steepness[Math.floor(k / d)] as number
        return (2 / (3 * n)) * (sum - steep * (at.values[k] as number))
      }),
    }
  }
}

/** `K(Z, Z)` and `g(Z, Z)`, both m x m. */
export function gramAndSteepness(at: Points): { gram: Float64Array; steepness: Float64Array } {
  const { values: z, rows: m, columns: d } = at
  const gram = new Float64Array(m * m)
  const steepness = new Float64Array(m * m)
  for (let i = 0; i < m; i++) {
    for (let j = i; j < m; j++) {
      let squared = 0
      for (let k = 0; k < d; k++) {
        const apart = (z[i * d + k] as number) - (z[j * d + k] as number)
        squared += apart * apart
      }
      const t = Math.exp(-squared)
      const t4 = t * t * t * t
      const t16 = t4 * t4 * t4 * t4
      gram[i * m + j] = gram[j * m + i] = (t + t4 + t16) / 3
      steepness[i * m + j] = steepness[j * m + i] = (2 / 3) * (t + 4 * t4 + 16 * t16)
    }
  }
  return { gram, steepness }
}

export function asPoints(records: Records): Points {
  return points(records.rows, records.columns, Float64Array.from(records.values))
}
