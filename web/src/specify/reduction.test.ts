import { describe, expect, it } from 'vitest'
import { points } from './matrix'
import { isClean } from './privacy'
import { Random } from './random'
import { reduce } from './reduction'
import { specified } from './specified'

function normal(n: number, d: number, seed = 1) {
  const random = new Random(seed)
  return points(
    n,
    d,
    Float64Array.from({ length: n * d }, () => random.normal()),
  )
}

describe('a reduction', () => {
  it('is the same for the same data and seed', () => {
    const rows = normal(200, 2)
    expect(reduce(rows, 100, 0).points.values).toEqual(reduce(rows, 100, 0).points.values)
  })

  it('gives no record away, and a point stands for five or more', () => {
    for (const [n, d] of [
      [20, 1],
      [60, 2],
      [300, 5],
    ] as const) {
      const { audit, weights, points: found } = reduce(normal(n, d), 100, 0)
      expect(isClean(audit)).toBe(true)
      expect(found.rows).toBeLessThanOrEqual(n / 10)
      expect(Math.min(...weights)).toBeGreaterThanOrEqual(5 / n - 1e-9)
      expect(weights.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9)
    }
  })

  it('keeps the mean of the data', () => {
    const rows = normal(500, 3)
    const { points: found, weights } = reduce(rows, 100, 0)
    for (let j = 0; j < 3; j++) {
      let mean = 0
      weights.forEach((weight, i) => {
        mean += weight * (found.values[i * 3 + j] as number)
      })
      let wanted = 0
      for (let i = 0; i < 500; i++) wanted += (rows.values[i * 3 + j] as number) / 500
      expect(Math.abs(mean - wanted)).toBeLessThan(0.1)
    }
  })

  it('tells how far it is, and never goes back', () => {
    const told: number[] = []
    reduce(normal(100, 2), 100, 0, (share) => told.push(share))
    expect(told.at(-1)).toBe(1)
    expect(told).toEqual([...told].sort((a, b) => a - b))
  })
})

describe('what is specified', () => {
  it('has missing values filled by the mean, and counted', () => {
    const values = Float64Array.from(normal(40, 1).values)
    values[3] = Number.NaN
    const columns = [
      { name: 'a', values },
      { name: 'b', values: normal(40, 1, 2).values },
    ]
    const { specification, filled } = specified(columns, 100, () => {})
    expect(filled).toEqual({ a: 1 })
    expect(specification.num_points).toBe(40)
    expect(specification.v2?.features).toEqual(['a', 'b'])
  })

  it('leaves points out where every place for them would show a record', () => {
    // Nearer to each other than a point can stand clear of, and nowhere a crowd.
    const values = Float64Array.from({ length: 100 }, (_, i) => i)
    const { audit, specification } = specified([{ name: 'a', values }], 100, () => {})
    expect(specification.z.length).toBeLessThan(10)
    expect(isClean(audit)).toBe(true)
    for (const [place] of specification.z) {
      const close = values.filter((value) => Math.abs(value - (place as number)) < 0.02 * 28.8)
      expect(close.length === 0 || close.length >= 5).toBe(true)
    }
  })

  it('refuses fewer records than could be described without showing them', () => {
    const columns = [{ name: 'a', values: new Float64Array(19) }]
    expect(() => specified(columns, 100, () => {})).toThrow('specify.tooFew')
  })
})
