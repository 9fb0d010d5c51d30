import { Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { PageLink } from '../components/links'
import { Page } from '../components/Page'

export function Lost() {
  const { t } = useTranslation()
  return (
    <Page title={t('lost.title')}>
      <Text>
        {t('lost.text')} <PageLink to="/search">{t('shell.search')}</PageLink>
      </Text>
    </Page>
  )
}
