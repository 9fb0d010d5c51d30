import { Button, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { EmailField, PasswordField } from '../../components/fields'
import { ButtonLink } from '../../components/links'
import { Page } from '../../components/Page'
import { Problem } from '../../components/Problem'
import { useSecret } from './secret'

/** A new password: asked for by address, chosen by the link of the mail. */
export function Reset() {
  const code = useSecret()
  return code ? <Choose code={code} /> : <Ask />
}

function Ask() {
  const { t } = useTranslation()
  const [email, setEmail] = useState('')
  const ask = useMutation({
    mutationFn: () => got(api.POST('/v1/accounts/resets', { body: { email } })),
  })
  return (
    <Page title={t('account.forgot')} lead={t('account.forgotLead')}>
      {ask.isSuccess ? (
        <Text role="status">{t('account.resetOnItsWay', { email })}</Text>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            ask.mutate()
          }}
        >
          <Stack maw={400}>
            <EmailField value={email} onChange={setEmail} />
            {ask.error && <Problem error={ask.error} />}
            <Button type="submit" loading={ask.isPending} style={{ alignSelf: 'flex-start' }}>
              {t('account.sendLink')}
            </Button>
          </Stack>
        </form>
      )}
    </Page>
  )
}

function Choose({ code }: { code: string }) {
  const { t } = useTranslation()
  const [password, setPassword] = useState('')
  const reset = useMutation({
    mutationFn: () => got(api.POST('/v1/accounts/reset', { body: { code, password } })),
  })
  if (reset.isSuccess) {
    return (
      <Page title={t('account.passwordChosen')}>
        <ButtonLink to="/sign-in" style={{ alignSelf: 'flex-start' }}>
          {t('account.signIn')}
        </ButtonLink>
      </Page>
    )
  }
  return (
    <Page title={t('account.choosePassword')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          reset.mutate()
        }}
      >
        <Stack maw={400}>
          <PasswordField
            value={password}
            onChange={setPassword}
            label={t('account.newPassword')}
            chosen
          />
          {reset.error && <Problem error={reset.error} />}
          <Button type="submit" loading={reset.isPending} style={{ alignSelf: 'flex-start' }}>
            {t('account.choosePassword')}
          </Button>
        </Stack>
      </form>
    </Page>
  )
}
