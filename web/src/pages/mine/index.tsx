import { Tabs } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Page } from '../../components/Page'
import { SignedInOnly } from '../../components/SignedInOnly'
import { AccountTab } from './Account'
import { Events } from './Events'
import { Learnwares } from './Learnwares'
import { Sessions } from './Sessions'
import { Tokens } from './Tokens'
import { TABS, type Tab } from './tabs'

const CONTENT: Record<Tab, () => React.ReactNode> = {
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
        <Tabs
          value={tab}
          onChange={(value) => void navigate({ search: { tab: value as Tab } })}
          keepMounted={false}
        >
          <Tabs.List>
            {TABS.map((name) => (
              <Tabs.Tab key={name} value={name}>
                {t(`mine.${name}`)}
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
      </SignedInOnly>
    </Page>
  )
}
