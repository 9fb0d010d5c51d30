import { Button, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { ButtonLink } from '../../components/links'
import { Page } from '../../components/Page'
import { Problem } from '../../components/Problem'
import { useSecret } from './secret'

/** Where the link of a confirmation leads: asked for by a click, as mail programs open links too. */
export function Confirm() {
  const { t } = useTranslation()
  const code = useSecret()
  const confirm = useMutation({
    mutationFn: () => got(api.POST('/v1/accounts/confirm', { body: { code } })),
  })
  if (confirm.isSuccess) {
    return (
      <Page title={t('account.confirmed')}>
        <ButtonLink to="/sign-in" style={{ alignSelf: 'flex-start' }}>
          {t('account.signIn')}
        </ButtonLink>
      </Page>
    )
  }
  return (
    <Page title={t('account.confirm')}>
      <Text>{t(code ? 'account.confirmText' : 'account.noCode')}</Text>
      {confirm.error && <Problem error={confirm.error} />}
      <Button
        disabled={!code}
        loading={confirm.isPending}
        onClick={() => confirm.mutate()}
        style={{ alignSelf: 'flex-start' }}
      >
        {t('account.confirm')}
      </Button>
    </Page>
  )
}
