import { Tabs } from '@mantine/core'
import type { ReactNode } from 'react'

/** Read which of some tabs an address names, if any; anybody may have written it. */
export function readTab<Name extends string>(
  names: readonly Name[],
): (given: Record<string, unknown>) => { tab?: Name } {
  return (given) => {
    const tab = names.find((name) => name === given.tab)
    return tab ? { tab } : {}
  }
}

interface AddressTabsProps<Name extends string> {
  names: readonly Name[]
  tab: NoInfer<Name>
  title: (name: Name) => string
  content: (name: Name) => ReactNode
  onChange: (name: Name) => void
}

/** Tabs of which the address says which is open; only that one asks the service for anything. */
export function AddressTabs<Name extends string>(props: AddressTabsProps<Name>) {
  const { names, tab, title, content, onChange } = props
  return (
    <Tabs value={tab} onChange={(value) => onChange(value as Name)} keepMounted={false}>
      <Tabs.List>
        {names.map((name) => (
          <Tabs.Tab key={name} value={name}>
            {title(name)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {names.map((name) => (
        <Tabs.Panel key={name} value={name} pt="md">
          {content(name)}
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}
