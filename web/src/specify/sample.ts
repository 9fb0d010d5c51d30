import { exponential } from './exponential'
import { type Matrix, type Points, points, type Records, squaredLengths } from './matrix'

/** Records looked at together: their kernel values with a hundred points stay in the cache. */
const BLOCK = 64

/** Records in kernel units, and what a reduced set needs to know of them (`moving`). */
export class Sample {
  private readonly values: Float64Array
  private readonly lengths: Float64Array

  constructor(readonly records: Records) {
    this.values = Float64Array.from(records.values)
    this.lengths = squaredLengths(records)
  }

  /** `c_i = (1/n) sum_l k(z_i, x_l)` of points. */
  meanEmbedding(at: Matrix<Float32Array | Float64Array>): Float64Array {
    const total = new Float64Array(at.rows)
    this.eachBlock(at, (_, count, exponents) => {
      for (let i = 0; i < at.rows; i++) {
        let sum = 0
        for (let l = i * BLOCK; l < i * BLOCK + count; l++) {
          const t = exponential(exponents[l] as number)
          const t4 = t * t * t * t
          sum += t + t4 + t4 * t4 * t4 * t4
        }
        total[i] = (total[i] as number) + sum
      }
    })
    return total.map((sum) => sum / (3 * this.records.rows))
  }

  /**
   * `c` and its gradient in each point.
   *
   * `dc_i/dz_i = -(1/n) sum_l g(z_i, x_l) (z_i - x_l)` with `g = (2/3)(t + 4 t^4 + 16 t^16)`.
   */
  pull(at: Points): { target: Float64Array; gradient: Float64Array } {
    const { rows: m, columns: d } = at
    const n = this.records.rows
    const target = new Float64Array(m)
    const steepness = new Float64Array(m)
    const drawn = new Float64Array(m * d)
    this.eachBlock(at, (first, count, exponents) => {
      for (let i = 0; i < m; i++) {
        let sum = 0
        let steep = 0
        for (let l = i * BLOCK; l < i * BLOCK + count; l++) {
          const t = exponential(exponents[l] as number)
          const t4 = t * t * t * t
          const t16 = t4 * t4 * t4 * t4
          const g = t + 4 * t4 + 16 * t16
          sum += t + t4 + t16
          steep += g
          exponents[l] = g
        }
        target[i] = (target[i] as number) + sum
        steepness[i] = (steepness[i] as number) + steep
      }
      addWeighted(drawn, m, d, exponents, this.values, first, count)
    })
    const factor = 2 / (3 * n)
    for (let i = 0; i < m; i++) {
      target[i] = (target[i] as number) / (3 * n)
      for (let k = i * d; k < (i + 1) * d; k++) {
        drawn[k] =
          factor * ((drawn[k] as number) - (steepness[i] as number) * (at.values[k] as number))
      }
    }
    return { target, gradient: drawn }
  }

  /** Call `look` with blocks of records and `-|z_i - x_l|^2` at `i * BLOCK + l - first`. */
  private eachBlock(
    at: Matrix<Float32Array | Float64Array>,
    look: (first: number, count: number, exponents: Float64Array) => void,
  ): void {
    const { rows: m, columns: d } = at
    const z = Float64Array.from(at.values)
    const own = squaredLengths(at)
    const exponents = new Float64Array(m * BLOCK)
    for (let first = 0; first < this.records.rows; first += BLOCK) {
      const count = Math.min(BLOCK, this.records.rows - first)
      products(z, m, d, this.values, first, count, exponents)
      for (let i = 0; i < m; i++) {
        const length = own[i] as number
        for (let l = 0; l < count; l++) {
          const k = i * BLOCK + l
          const away = 2 * (exponents[k] as number) - length - (this.lengths[first + l] as number)
          exponents[k] = Math.min(away, 0)
        }
      }
      look(first, count, exponents)
    }
  }
}

/** Inner products of points with the records of a block, two points and two records at a time. */
function products(
  z: Float64Array,
  m: number,
  d: number,
  x: Float64Array,
  first: number,
  count: number,
  out: Float64Array,
): void {
  for (let i = 0; i < m; i += 2) {
    const p = i * d
    const q = i + 1 < m ? p + d : p
    const below = i + 1 < m ? BLOCK : 0
    for (let l = 0; l < count; l += 2) {
      const r = (first + l) * d
      const s = l + 1 < count ? r + d : r
      let pr = 0
      let ps = 0
      let qr = 0
      let qs = 0
      for (let j = 0; j < d; j++) {
        const zp = z[p + j] as number
        const zq = z[q + j] as number
        const xr = x[r + j] as number
        const xs = x[s + j] as number
        pr += zp * xr
        ps += zp * xs
        qr += zq * xr
        qs += zq * xs
      }
      const to = i * BLOCK + l
      out[to + below] = qr
      out[to] = pr
      if (l + 1 < count) {
        out[to + below + 1] = qs
        out[to + 1] = ps
      }
    }
  }
}

/** Add to each row of `drawn` the records of a block, weighted by `g`, four at a time. */
function addWeighted(
  drawn: Float64Array,
  m: number,
  d: number,
  g: Float64Array,
  x: Float64Array,
  first: number,
  count: number,
): void {
  for (let i = 0; i < m; i++) {
    const to = i * d
    for (let l = 0; l < count; l += 4) {
      const k = i * BLOCK + l
      // What stands behind the last record of a short block has no weight.
      const a = g[k] as number
      const b = l + 1 < count ? (g[k + 1] as number) : 0
      const c = l + 2 < count ? (g[k + 2] as number) : 0
      const e = l + 3 < count ? (g[k + 3] as number) : 0
      const p = (first + l) * d
      const q = b ? p + d : p
      const r = c ? p + 2 * d : p
      const s = e ? p + 3 * d : p
      if (a + b + c + e === 0) continue
      for (let j = 0; j < d; j++) {
        drawn[to + j] =
          (drawn[to + j] as number) +
          a * (x[p + j] as number) +
          b * (x[q + j] as number) +
          c * (x[r + j] as number) +
          e * (x[s + j] as number)
      }
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
