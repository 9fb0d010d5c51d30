import {
  Anchor,
  type AnchorProps,
  Button,
  type ButtonProps,
  Menu,
  type MenuItemProps,
} from '@mantine/core'
import { createLink } from '@tanstack/react-router'
import type { ComponentProps } from 'react'

type A = ComponentProps<'a'>

/** Links to pages of ours: real links, whose paths are checked by their types. */
export const PageLink = createLink((props: AnchorProps & Omit<A, keyof AnchorProps>) => (
  <Anchor {...props} />
))

export const ButtonLink = createLink((props: ButtonProps & Omit<A, keyof ButtonProps>) => (
  <Button component="a" {...props} />
))

export const MenuLink = createLink((props: MenuItemProps & Omit<A, keyof MenuItemProps>) => (
  <Menu.Item component="a" {...props} />
))
