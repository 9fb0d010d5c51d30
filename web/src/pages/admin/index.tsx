import { Text } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { createElement, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { isAdmin, useSession } from '../../api/session'
import { AddressTabs } from '../../components/AddressTabs'
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
    <AddressTabs
      names={TABS}
      tab={tab}
      title={(name) => t(`admin.${name}`)}
      content={(name) => createElement(CONTENT[name])}
      onChange={(name) => void navigate({ search: { tab: name } })}
    />
  )
}
