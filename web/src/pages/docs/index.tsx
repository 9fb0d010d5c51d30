import { Tabs } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Markdown } from '../../components/Markdown'
import { Page } from '../../components/Page'
import { PARTS, type Part } from './parts'
import { TEXTS } from './texts'

/** How everything is done, in the reader's language; and what a dock promises. */
export function Docs() {
  const { t, i18n } = useTranslation()
  const { part = 'find' } = useSearch({ from: '/docs' })
  const navigate = useNavigate({ from: '/docs' })
  const texts = TEXTS[i18n.language === 'zh' ? 'zh' : 'en']
  return (
    <Page title={t('docs.title')}>
      <Tabs
        value={part}
        onChange={(value) => void navigate({ search: { part: value as Part } })}
        keepMounted={false}
      >
        <Tabs.List>
          {PARTS.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`docs.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {PARTS.map((name) => (
          <Tabs.Panel key={name} value={name} pt="md" maw={760}>
            <Markdown>{texts[name].replaceAll('DOCK', window.location.origin)}</Markdown>
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  )
}
