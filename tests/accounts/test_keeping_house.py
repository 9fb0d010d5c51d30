"""Reports of abuse, tallies, rates, and mails by a mail server."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest

from beimingwu.accounts import Accounts, Actor
from beimingwu.accounts.post import Letter, Post
from beimingwu.accounts.rates import Rates
from beimingwu.accounts.reports import Reason
from beimingwu.accounts.tallies import Tallies
from beimingwu.config import Settings
from beimingwu.dock import schema
from beimingwu.errors import Conflict, InvalidInput, NotFound, TooManyRequests


@pytest.fixture
def learnware(catalogue) -> str:
    from datetime import UTC, datetime

    with catalogue.writing() as connection:
        connection.execute(
            schema.learnware.insert().values(
                owner="", name="Sums", state="published", created=datetime.now(UTC)
            )
        )
    return "00000001"


def test_a_report_is_open_until_an_admin_closes_it_once(accounts, learnware) -> None:
    first, second = (
        accounts.reports.enter(learnware, reason, "Look at it.", account=None, contact="")
        for reason in (Reason.LICENSE, Reason.PRIVACY)
    )
    assert [report.id for report in accounts.reports.list()] == [first.id, second.id]
    assert [report.id for report in accounts.reports.list(after=first.id)] == [second.id]
    closed = accounts.reports.close(first.id, "dismissed", "It may be.", Actor("account:1"))
    assert (closed.state, closed.closer, closed.note) == ("dismissed", "account:1", "It may be.")
    with pytest.raises(Conflict):
        accounts.reports.close(first.id, "upheld", "", Actor("account:1"))
    assert [report.id for report in accounts.reports.list()] == [second.id]
    assert [report.id for report in accounts.reports.list("dismissed")] == [first.id]
    assert len(accounts.reports.list(None)) == 2
    with pytest.raises(NotFound):
        accounts.reports.get(99)


def test_tallies_of_several_servers_add_up(accounts: Accounts, catalogue) -> None:
    other = Tallies(catalogue)
    for tallies in (accounts.tallies, other, other):
        tallies.add("search")
    other.add("download")
    assert accounts.tallies.totals() == {"search": 1}
    other.flush()
    other.flush()
    assert accounts.tallies.totals() == {"search": 3, "download": 1}
    accounts.tallies.flush()
    assert other.totals() == {"search": 3, "download": 1}


def test_a_tally_that_could_not_be_written_is_not_lost(accounts, catalogue, monkeypatch) -> None:
    accounts.tallies.add("search")
    with monkeypatch.context() as patch:

        def full() -> None:
            raise OSError("No space left on device")

        patch.setattr(catalogue, "writing", full)
        with pytest.raises(OSError, match="space"):
            accounts.tallies.flush()
    assert accounts.tallies.totals() == {"search": 1}


def test_a_rate_is_counted_for_each_key_by_itself() -> None:
    rates = Rates(Settings(rate_report="2/hour"))
    assert rates.spend("report", "a").remaining == 1
    assert rates.spend("report", "a").remaining == 0
    assert rates.spend("report", "b").remaining == 1
    with pytest.raises(TooManyRequests) as refused:
        rates.spend("report", "a")
    assert refused.value.code == "too_many_requests.report"
    assert 3590 <= refused.value.retry_after <= 3600


def test_a_rate_that_is_none_is_told_by_its_setting() -> None:
    with pytest.raises(InvalidInput, match="BEIMINGWU_RATE_MAIL"):
        Rates(Settings(rate_mail="often"))


class _Conversation(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail takes."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        data: list[bytes] = []
        while line := self.rfile.readline():
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                while (line := self.rfile.readline()) != b".\r\n":
                    data.append(line)
                self.server.mails.append(b"".join(data))  # type: ignore[attr-defined]
            self.wfile.write(b"250 fine\r\n")


@pytest.fixture
def smtp() -> Iterator[socketserver.TCPServer]:
    with socketserver.TCPServer(("127.0.0.1", 0), _Conversation) as server:
        server.mails = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_mail_is_sent_by_the_mail_server_of_the_settings(smtp, caplog) -> None:
    post = Post(
        Settings(
            smtp_host="127.0.0.1",
            smtp_port=smtp.server_address[1],
            smtp_security="none",
            smtp_from="dock@example.org",
        )
    )
    assert not post.prints
    post.send(lambda: Letter("ada@example.org", "Hello / 你好", "A link: https://x/#secret\n"))
    post.close()
    [mail] = smtp.mails
    assert b"To: ada@example.org" in mail
    assert b"From: dock@example.org" in mail
    assert b"secret" in mail
    assert "secret" not in caplog.text, "only without a mail server are mails printed"


def test_a_mail_that_cannot_be_sent_is_logged_without_its_text_and_others_go_on(
    smtp, caplog
) -> None:
    broken = Settings(smtp_host="127.0.0.1", smtp_port=1, smtp_security="none")
    post = Post(broken)
    post.send(lambda: Letter("ada@example.org", "Hello", "https://x/#secret"))
    post.close()
    assert "could not be sent" in caplog.text
    assert "secret" not in caplog.text


def test_a_way_to_send_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(InvalidInput, match="SMTP_SECURITY"):
        Post(Settings(smtp_security="ssl3"))
