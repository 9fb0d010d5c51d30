import { Tabs, Text } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { isAdmin, useSession } from '../../api/session'
import { Page } from '../../components/Page'
import { SignedInOnly } from '../../components/SignedInOnly'
import { Accounts } from './Accounts'
import { Events } from './Events'
import { Reports } from './Reports'
import { Summary } from './Summary'
import { TABS, type Tab } from './tabs'

const CONTENT: Record<Tab, () => ReactNode> = {
  summary: Summary,
  accounts: Accounts,
  reports: Reports,
  events: Events,
}

/** Looking after a dock: what is in it, who uses it, what is wrong with it. */
export function Admin() {
  const { t } = useTranslation()
  return (
    <Page title={t('admin.title')}>
      <SignedInOnly>
        <ForAdmins />
      </SignedInOnly>
    </Page>
  )
}

function ForAdmins() {
  const { t } = useTranslation()
  const { data: account } = useSession()
  const { tab = 'summary' } = useSearch({ from: '/admin' })
  const navigate = useNavigate({ from: '/admin' })
  if (!isAdmin(account)) return <Text>{t('admin.notYou')}</Text>
  return (
    <Tabs
      value={tab}
      onChange={(value) => void navigate({ search: { tab: value as Tab } })}
      keepMounted={false}
    >
      <Tabs.List>
        {TABS.map((name) => (
          <Tabs.Tab key={name} value={name}>
            {t(`admin.${name}`)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {TABS.map((name) => {
        const Content = CONTENT[name]
        return (
          <Tabs.Panel key={name} value={name} pt="md">
            <Content />
          </Tabs.Panel>
        )
      })}
    </Tabs>
  )
}
