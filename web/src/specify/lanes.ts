import binary from '../../simd/sums.ts?wasm'
import type { Matrix, Records } from './matrix'

/** What `web/simd/sums.ts` is compiled to; numbers are places in its memory, or counts. */
interface Sums {
  memory: WebAssembly.Memory
  room(bytes: number): number
  sums(
    points: number,
    lengths: number,
    m: number,
    d: number,
    records: number,
    theirs: number,
    groups: number,
    scratch: number,
    totals: number,
    steep: number,
    drawn: number,
  ): void
  neighbours(
    points: number,
    m: number,
    d: number,
    records: number,
    groups: number,
    edge: number,
    nearest: number,
    close: number,
  ): void
}

const LANES = 4
const BLOCK = 16 * LANES
const NUMBER = 4
const VECTOR = LANES * NUMBER
/** Where records stand that only fill up a block: no kernel reaches them, no square overflows. */
const FAR = 1e15

const compiled = new WebAssembly.Module(Uint8Array.from(atob(binary), (byte) => byte.charCodeAt(0)))

/** Records in the memory of WebAssembly, four to a vector, and sums over them. */
export class Lanes {
  private readonly wasm = new WebAssembly.Instance(compiled).exports as unknown as Sums
  private readonly d: number
  private readonly groups: number
  /** How many records there are, and where. */
  readonly rows: number
  private readonly records: number
  private readonly lengths: number
  /** The number of points that there is room for, and the places of what belongs to them. */
  private held = 0
  private readonly at = { points: 0, own: 0, scratch: 0, totals: 0, steep: 0, lanes: 0 }

  constructor(of: Records) {
    this.rows = of.rows
    this.d = whole(of.columns, LANES)
    const rows = whole(of.rows, BLOCK)
    this.groups = rows / LANES
    this.records = this.wasm.room(rows * this.d * NUMBER)
    this.lengths = this.wasm.room(rows * NUMBER)
    const values = new Float32Array(this.memory, this.records, rows * this.d)
    const lengths = new Float32Array(this.memory, this.lengths, rows)
    for (let l = 0; l < rows; l++) {
      const start = Math.floor(l / LANES) * this.d * LANES + (l % LANES)
      let length = 0
      for (let j = 0; j < of.columns; j++) {
        const value = l < of.rows ? (of.values[l * of.columns + j] as number) : FAR
        values[start + j * LANES] = value
        length += value * value
      }
      lengths[l] = length
    }
  }

  /** `sum_l k(z_i, x_l)` of points, times three. */
  kernels(of: Matrix<Float32Array | Float64Array>): Float64Array {
    const m = this.put(of)
    this.sum(m, 0)
    return new Float64Array(this.memory, this.at.totals, of.rows).slice()
  }

  /** The same; `sum_l g(z_i, x_l)`; and `sum_l g(z_i, x_l) x_l`, which has d columns. */
  slopes(of: Matrix<Float32Array | Float64Array>) {
    const m = this.put(of)
    new Float32Array(this.memory, this.at.lanes, m * this.d * LANES).fill(0)
    this.sum(m, this.at.lanes)
    const { rows, columns } = of
    const lanes = new Float32Array(this.memory, this.at.lanes, m * this.d * LANES)
    const drawn = new Float64Array(rows * columns)
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const k = (i * this.d + j) * LANES
        let sum = 0
        for (let lane = k; lane < k + LANES; lane++) sum += lanes[lane] as number
        drawn[i * columns + j] = sum
      }
    }
    return {
      kernels: new Float64Array(this.memory, this.at.totals, rows).slice(),
      steepness: new Float64Array(this.memory, this.at.steep, rows).slice(),
      drawn,
    }
  }

  /** Of each point: the least squared distance to a record, and how many are nearer than `edge`. */
  neighbours(of: Matrix<Float32Array | Float64Array>, edge: number) {
    const m = this.put(of)
    const { lanes, scratch } = this.at
    new Float32Array(this.memory, lanes, m * LANES).fill(Number.POSITIVE_INFINITY)
    new Int32Array(this.memory, scratch, m * LANES).fill(0)
    this.wasm.neighbours(this.at.points, m, this.d, this.records, this.groups, edge, lanes, scratch)
    const least = new Float32Array(this.memory, lanes, m * LANES)
    const counts = new Int32Array(this.memory, scratch, m * LANES)
    const nearest = new Float64Array(of.rows)
    const close = new Int32Array(of.rows)
    for (let i = 0; i < of.rows; i++) {
      const own = i * LANES
      nearest[i] = Math.min(...least.subarray(own, own + LANES))
      close[i] = counts.subarray(own, own + LANES).reduce((sum, count) => sum + count, 0)
    }
    return { nearest, close }
  }

  private sum(m: number, drawn: number): void {
    const { points, own, scratch, totals, steep } = this.at
    new Float64Array(this.memory, totals, m).fill(0)
    new Float64Array(this.memory, steep, m).fill(0)
    this.wasm.sums(
      points,
      own,
      m,
      this.d,
      this.records,
      this.lengths,
      this.groups,
      scratch,
      totals,
      steep,
      drawn,
    )
  }

  /** Write points, and their squared lengths, where they are read; return their number, filled up. */
  private put(of: Matrix<Float32Array | Float64Array>): number {
    const m = whole(of.rows, LANES)
    if (m > this.held) this.makeRoom(m)
    const values = new Float32Array(this.memory, this.at.points, m * this.d).fill(0)
    const lengths = new Float32Array(this.memory, this.at.own, m).fill(0)
    for (let i = 0; i < of.rows; i++) {
      let length = 0
      for (let j = 0; j < of.columns; j++) {
        const value = Math.fround(of.values[i * of.columns + j] as number)
        values[i * this.d + j] = value
        length += value * value
      }
      lengths[i] = length
    }
    return m
  }

  private makeRoom(m: number): void {
    this.at.points = this.wasm.room(m * this.d * NUMBER)
    this.at.own = this.wasm.room(m * NUMBER)
    this.at.scratch = this.wasm.room(m * BLOCK * NUMBER)
    this.at.totals = this.wasm.room(m * 8)
    this.at.steep = this.wasm.room(m * 8)
    this.at.lanes = this.wasm.room(m * this.d * VECTOR)
    this.held = m
  }

  /** Asked for anew each time: a memory that grew has another buffer. */
  private get memory(): ArrayBuffer {
    return this.wasm.memory.buffer as ArrayBuffer
  }
}

function whole(count: number, of: number): number {
  return Math.ceil(count / of) * of
}
