export const TABS = ['learnwares', 'tokens', 'sessions', 'events', 'account'] as const
export type Tab = (typeof TABS)[number]
