import { PasswordInput, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'

interface FieldProps {
  value: string
  onChange: (value: string) => void
  label?: string
}

export function EmailField({ value, onChange, username }: FieldProps & { username?: boolean }) {
  const { t } = useTranslation()
  return (
    <TextInput
      label={t('account.email')}
      type="email"
      autoComplete={username ? 'username' : 'email'}
      required
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}

/** A password that somebody has; or, with its rule, one that they choose. */
export function PasswordField({
  value,
  onChange,
  label,
  chosen,
}: FieldProps & { chosen?: boolean }) {
  const { t } = useTranslation()
  return (
    <PasswordInput
      label={label ?? t('account.password')}
      description={chosen ? t('account.passwordRule') : undefined}
      autoComplete={chosen ? 'new-password' : 'current-password'}
      required
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      visibilityToggleButtonProps={{ 'aria-label': t('account.showPassword') }}
    />
  )
}
