export const TABS = ['summary', 'accounts', 'reports', 'events'] as const
export type Tab = (typeof TABS)[number]

export function readTab(given: Record<string, unknown>): { tab?: Tab } {
  const tab = TABS.find((name) => name === given.tab)
  return tab ? { tab } : {}
}
