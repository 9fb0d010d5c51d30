export const PARTS = ['find', 'share', 'program', 'promises'] as const
export type Part = (typeof PARTS)[number]

export function readPart(given: Record<string, unknown>): { part?: Part } {
  const part = PARTS.find((name) => name === given.part)
  return part ? { part } : {}
}
