/** A seeded generator: the same seed gives the same specification in every browser. */
export class Random {
  private state: Uint32Array
  private spare: number | null = null

  constructor(seed: number) {
    // splitmix32 spreads a small seed over the four words of xoshiro128**.
    let x = seed >>> 0
    this.state = Uint32Array.from({ length: 4 }, () => {
      x = (x + 0x9e3779b9) >>> 0
      let z = x
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      return (z ^ (z >>> 16)) >>> 0
    })
  }

  /** A number in [0, 1). */
  uniform(): number {
    return this.word() / 4294967296
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound)
  }

  /** A number of the standard normal distribution (Marsaglia's polar method). */
  normal(): number {
    if (this.spare !== null) {
      const kept = this.spare
      this.spare = null
      return kept
    }
    for (;;) {
      const u = 2 * this.uniform() - 1
      const v = 2 * this.uniform() - 1
      const s = u * u + v * v
      if (s > 0 && s < 1) {
        const factor = Math.sqrt((-2 * Math.log(s)) / s)
        this.spare = v * factor
        return u * factor
      }
    }
  }

  /** `count` different numbers below `bound`, ascending. */
  choose(bound: number, count: number): Int32Array {
    const all = Int32Array.from({ length: bound }, (_, i) => i)
    for (let i = 0; i < count; i++) {
      const j = i + this.below(bound - i)
      const taken = all[j] as number
      all[j] = all[i] as number
      all[i] = taken
    }
    return all.slice(0, count).sort()
  }

  private word(): number {
    const s = this.state
    const [a, b, c, d] = s as unknown as [number, number, number, number]
    const scrambled = Math.imul(b, 5)
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0
    const shifted = b << 9
    const c2 = c ^ a
    const d2 = d ^ b
    s[1] = b ^ c2
    s[0] = a ^ d2
    s[2] = c2 ^ shifted
    s[3] = (d2 << 11) | (d2 >>> 21)
    return result
  }
}
