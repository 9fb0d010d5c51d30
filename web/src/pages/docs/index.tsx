import { Box } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { AddressTabs } from '../../components/AddressTabs'
import { Markdown } from '../../components/Markdown'
import { Page } from '../../components/Page'
import { TABS } from './tabs'
import { TEXTS } from './texts'

/** How everything is done, in the reader's language; and what a dock promises. */
export function Docs() {
  const { t, i18n } = useTranslation()
  const { tab = 'find' } = useSearch({ from: '/docs' })
  const navigate = useNavigate({ from: '/docs' })
  const texts = TEXTS[i18n.language === 'zh' ? 'zh' : 'en']
  return (
    <Page title={t('docs.title')}>
      <AddressTabs
        names={TABS}
        tab={tab}
        title={(name) => t(`docs.${name}`)}
        content={(name) => (
          <Box maw={760}>
            <Markdown>{texts[name].replaceAll('DOCK', window.location.origin)}</Markdown>
          </Box>
        )}
        onChange={(name) => void navigate({ search: { tab: name } })}
      />
    </Page>
  )
}
