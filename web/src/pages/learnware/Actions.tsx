import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { ApiProblem, api, got, type Learnware } from '../../api/client'
import { isAdmin, useSession } from '../../api/session'
import { useConfirm } from '../../components/Confirm'
import { ButtonLink } from '../../components/links'

/** What its owner, or an admin, may do with a learnware. */
export function Actions({ of }: { of: Learnware }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const confirm = useConfirm()
  const { data: account } = useSession()
  const path = { params: { path: { id: of.id } } }
  const withdraw = useAction(() => got(api.POST('/v1/learnwares/{id}/withdraw', path)))
  const restore = useAction(() => got(api.POST('/v1/learnwares/{id}/restore', path)))
  const quarantine = useAction(() =>
    got(api.POST('/v1/admin/learnwares/{id}/quarantine', { ...path, body: { reason: '' } })),
  )
  const release = useAction(() => got(api.POST('/v1/admin/learnwares/{id}/release', path)))
  const remove = useAction(async () => {
    await got(api.DELETE('/v1/learnwares/{id}', path))
    await navigate({ to: '/mine' })
    // It is gone: nothing of it is asked for again.
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey.includes(of.id) })
  })
  return (
    <>
      <ButtonLink to="/learnwares/$id/edit" params={{ id: of.id }} variant="default">
        {t('learnware.edit')}
      </ButtonLink>
      {of.state === 'published' && (
        <Button variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate()}>
          {t('learnware.withdraw')}
        </Button>
      )}
      {of.state === 'withdrawn' && (
        <Button variant="default" loading={restore.isPending} onClick={() => restore.mutate()}>
          {t('learnware.restore')}
        </Button>
      )}
      {isAdmin(account) && of.state === 'published' && (
        <Button
          variant="default"
          loading={quarantine.isPending}
          onClick={() => quarantine.mutate()}
        >
          {t('learnware.quarantine')}
        </Button>
      )}
      {isAdmin(account) && of.state === 'quarantined' && (
        <Button variant="default" loading={release.isPending} onClick={() => release.mutate()}>
          {t('learnware.release')}
        </Button>
      )}
      <Button
        variant="default"
        color="red"
        loading={remove.isPending}
        onClick={() =>
          confirm.ask({
            title: t('learnware.deleteTitle', { name: of.name }),
            text: t('learnware.deleteText'),
            action: t('learnware.delete'),
            onConfirm: () => remove.mutate(),
          })
        }
      >
        {t('learnware.delete')}
      </Button>
      {confirm.dialog}
    </>
  )
}

/** Do something, and look at everything anew; what went wrong is told, with what to do about it. */
function useAction(act: () => Promise<unknown>) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: act,
    onSuccess: () => queries.invalidateQueries(),
    onError: (error) =>
      notifications.show({
        color: 'red',
        title: error.message,
        message: error instanceof ApiProblem ? error.remedy : '',
      }),
  })
}
