import type { Matrix, Points, Records } from './matrix'

/** The machine epsilon of float32, and its largest number. */
const EPSILON = 2 ** -23
export const LARGEST = 3.4028234663852886e38

/** Every feature centred and in units of its own deviation (ALGORITHMS §1.1). */
export class StandardSpace {
  constructor(
    readonly centre: Float64Array,
    readonly scale: Float64Array,
    /** 1 where a feature varies by more than float32 can show at its distance from zero. */
    readonly varying: Uint8Array,
  ) {}

  static of(raw: Matrix<Float64Array>): StandardSpace {
    const { values, rows: n, columns: d } = raw
    const total = new Float64Array(d)
    const squares = new Float64Array(d)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < d; j++) {
        const apart = (values[i * d + j] as number) - (values[j] as number)
        total[j] = (total[j] as number) + apart
        squares[j] = (squares[j] as number) + apart * apart
      }
    }
    const centre = new Float64Array(d)
    const scale = new Float64Array(d)
    const varying = new Uint8Array(d)
    for (let j = 0; j < d; j++) {
      const shift = (total[j] as number) / n
      const deviation = Math.sqrt(Math.max((squares[j] as number) / n - shift * shift, 0))
      const middle = (values[j] as number) + shift
      centre[j] = middle
      varying[j] = deviation <= EPSILON * Math.abs(middle) ? 0 : 1
      scale[j] = varying[j] ? deviation : 1
    }
    return new StandardSpace(centre, scale, varying)
  }

  /** Raw rows standardised, as float32. */
  inward(raw: Matrix<Float32Array | Float64Array>): Records {
    const d = raw.columns
    const values = new Float32Array(raw.values.length)
    for (let i = 0; i < values.length; i++) {
      const j = i % d
      values[i] =
        ((raw.values[i] as number) - (this.centre[j] as number)) / (this.scale[j] as number)
    }
    return { values, rows: raw.rows, columns: d }
  }

  /** Standardised points in raw units, as they are published. */
  outward(standard: Matrix<Float32Array | Float64Array>): Records {
    const d = standard.columns
    const values = new Float32Array(standard.values.length)
    for (let i = 0; i < values.length; i++) {
      const j = i % d
      const raw =
        (standard.values[i] as number) * (this.scale[j] as number) + (this.centre[j] as number)
      values[i] = Math.min(Math.max(raw, -LARGEST), LARGEST)
    }
    return { values, rows: standard.rows, columns: d }
  }

  /** The points where float32 in raw units puts them, standardised again. */
  asPublished(standard: Matrix<Float32Array | Float64Array>): Records {
    return this.inward(this.outward(standard))
  }
}

/** Standardised points in kernel units, in which `k = (t + t^4 + t^16) / 3`, `t = exp(-|x-y|^2)`. */
export function kernelUnit(features: number): number {
  return Math.fround(Math.sqrt(0.25 / features))
}

export function scaled(standard: Records, by: number): Points {
  return {
    values: Float64Array.from(standard.values, (value) => value * by),
    rows: standard.rows,
    columns: standard.columns,
  }
}
