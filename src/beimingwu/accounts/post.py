"""Mails: what they say, and how they leave, in their order, behind whatever asked for them.

Nothing that a request waits for depends on whether a mail is sent, so that it tells nobody whether
there is an account. Without a mail server they are printed to the log, for development.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from beimingwu.config import Settings
from beimingwu.errors import InvalidInput

_log = logging.getLogger("beimingwu.mail")
_SECURITY = ("tls", "starttls", "none")
_PATIENCE = 30.0


@dataclass(frozen=True)
class Letter:
    """One mail, in English and Chinese."""

    to: str
    subject: str
    text: str


class Post:
    """The mails of one server; `close` waits until they are sent.

    Raises
    ------
    InvalidInput
        The setting `smtp_security` is none that we know.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        if settings.smtp_security not in _SECURITY:
            raise InvalidInput(
                f"BEIMINGWU_SMTP_SECURITY must be one of {', '.join(_SECURITY)}. "
                f"Got {settings.smtp_security!r} instead.",
                remedy="Set it to tls, unless your mail server speaks something else.",
                code="input.setting",
            )
        self._behind = ThreadPoolExecutor(1, "post")

    @property
    def prints(self) -> bool:
        """Whether mails are printed to the log, because there is no mail server."""
        return not self._settings.smtp_host

    def send(self, write: Callable[[], Letter | None]) -> None:
        """Let a letter be written and sent behind; None where there is nothing to send."""
        self._behind.submit(self._sent, write)

    def close(self) -> None:
        """Send what waits, and stop."""
        self._behind.shutdown(wait=True)

    def _sent(self, write: Callable[[], Letter | None]) -> None:
        try:
            letter = write()
            if letter is not None:
                self._deliver(letter)
        except Exception:
            # Nobody waits for the answer; whoever misses the mail asks for another.
            _log.exception("a mail could not be sent")

    def _deliver(self, letter: Letter) -> None:
        if self.prints:
            _log.warning("To: %s\nSubject: %s\n\n%s", letter.to, letter.subject, letter.text)
            return
        settings = self._settings
        message = EmailMessage()
        message["From"], message["To"] = settings.smtp_from, letter.to
        message["Subject"] = letter.subject
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="beimingwu")
        message.set_content(letter.text)
        with self._connected() as server:
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
            server.send_message(message)

    def _connected(self) -> smtplib.SMTP:
        host, port = self._settings.smtp_host, self._settings.smtp_port
        context = ssl.create_default_context()
        if self._settings.smtp_security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=_PATIENCE, context=context)
        server = smtplib.SMTP(host, port, timeout=_PATIENCE)
        if self._settings.smtp_security == "starttls":
            server.starttls(context=context)
        return server


def confirmation(to: str, link: str) -> Letter:
    """Return the letter that lets somebody confirm that an address is theirs."""
    return Letter(
        to,
        "Beimingwu: confirm your e-mail address / 确认您的邮箱",
        "Open this link once to confirm that this address is yours:\n"
        "打开以下链接一次，即可确认此邮箱属于您：\n\n"
        f"{link}\n\n"
        "If you did not ask for it, somebody mistyped an address: do nothing.\n"
        "如果这不是您的操作，请忽略本邮件。\n",
    )


def reset(to: str, link: str) -> Letter:
    """Return the letter that lets somebody choose a new password."""
    return Letter(
        to,
        "Beimingwu: choose a new password / 重设密码",
        "Open this link once to choose a new password:\n打开以下链接一次，即可重设密码：\n\n"
        f"{link}\n\n"
        "If you did not ask for it, do nothing: your password stays as it is.\n"
        "如果这不是您的操作，请忽略本邮件，您的密码不会改变。\n",
    )


def registered_already(to: str) -> Letter:
    """Return the letter for an address with an account that somebody registers again."""
    return Letter(
        to,
        "Beimingwu: you have an account / 您已注册",
        "Somebody asked for an account with this address, which has one already.\n"
        "Sign in with it; if you forgot its password, ask for a new one.\n"
        "有人使用此邮箱申请注册，但此邮箱已有帐户。请直接登录；若忘记密码，可申请重设。\n",
    )


def address_changed(to: str) -> Letter:
    """Return the letter to the address that an account had before."""
    return Letter(
        to,
        "Beimingwu: your e-mail address was changed / 您的邮箱已更改",
        "Your account now has another e-mail address.\n"
        "If this was not you, tell whoever runs the dock at once.\n"
        "您的帐户已更换邮箱。如果这不是您的操作，请立即联系管理员。\n",
    )
