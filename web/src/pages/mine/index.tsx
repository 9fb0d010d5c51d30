import { useNavigate, useSearch } from '@tanstack/react-router'
import { createElement, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { AddressTabs } from '../../components/AddressTabs'
import { Page } from '../../components/Page'
import { SignedInOnly } from '../../components/SignedInOnly'
import { AccountTab } from './Account'
import { Events } from './Events'
import { Learnwares } from './Learnwares'
import { Sessions } from './Sessions'
import { Tokens } from './Tokens'
import { TABS, type Tab } from './tabs'

const CONTENT: Record<Tab, () => ReactNode> = {
  learnwares: Learnwares,
  tokens: Tokens,
  sessions: Sessions,
  events: Events,
  account: AccountTab,
}

/** What belongs to whoever is signed in. */
export function Mine() {
  const { t } = useTranslation()
  const { tab = 'learnwares' } = useSearch({ from: '/mine' })
  const navigate = useNavigate({ from: '/mine' })
  return (
    <Page title={t('mine.title')}>
      <SignedInOnly>
        <AddressTabs
          names={TABS}
          tab={tab}
          title={(name) => t(`mine.${name}`)}
          content={(name) => createElement(CONTENT[name])}
          onChange={(name) => void navigate({ search: { tab: name } })}
        />
      </SignedInOnly>
    </Page>
  )
}
