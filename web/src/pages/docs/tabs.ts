export const TABS = ['find', 'share', 'program', 'promises'] as const
export type Tab = (typeof TABS)[number]
