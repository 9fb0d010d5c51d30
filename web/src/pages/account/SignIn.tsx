import { Button, Group, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useRouter, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSignIn } from '../../api/session'
import { PageLink } from '../../components/links'
import { Page } from '../../components/Page'
import { Problem } from '../../components/Problem'

export function SignIn() {
  const { t } = useTranslation()
  const { next } = useSearch({ from: '/sign-in' })
  const router = useRouter()
  const signIn = useSignIn()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  return (
    <Page title={t('account.signIn')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          signIn.mutate(
            { email, password },
            { onSuccess: () => router.history.push(next ?? '/mine') },
          )
        }}
      >
        <Stack maw={400}>
          <TextInput
            label={t('account.email')}
            type="email"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label={t('account.password')}
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': t('account.showPassword') }}
          />
          {signIn.error && <Problem error={signIn.error} />}
          <Group>
            <Button type="submit" loading={signIn.isPending}>
              {t('account.signIn')}
            </Button>
            <PageLink to="/register" size="sm">
              {t('account.register')}
            </PageLink>
            <PageLink to="/reset" size="sm">
              {t('account.forgot')}
            </PageLink>
          </Group>
        </Stack>
      </form>
    </Page>
  )
}
