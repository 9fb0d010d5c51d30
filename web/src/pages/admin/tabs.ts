export const TABS = ['summary', 'accounts', 'reports', 'events'] as const
export type Tab = (typeof TABS)[number]
