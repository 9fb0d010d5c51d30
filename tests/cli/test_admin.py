"""Looking after a dock from its own machine: accounts, tokens, backup, verification."""

from __future__ import annotations

import pytest

PASSWORD = "correct horse battery\n"


def added(run, dock, email="ada@example.org", name="Ada", *more):
    words = ("admin", "user", "add", email, "--name", name, "--password-stdin", "--dock", dock)
    return run(*words, *more, input=PASSWORD)


def test_a_script_prepares_a_dock_with_an_account_and_its_token(run, tmp_path):
    dock = tmp_path / "dock"
    made = added(run, dock, "Ada@example.org", "Ada", "--quiet")
    assert (made.status, made.out, made.err) == (0, "1\n", "")
    words = ("admin", "token", "add", "ada@example.org", "--name", "script", "--dock", dock)
    token = run(*words, "--quiet")
    assert token.status == 0
    [secret] = token.lines
    assert secret.startswith("bmw_token_")

    from beimingwu.accounts import Accounts, Scope
    from beimingwu.config import Settings
    from beimingwu.dock import Dock

    with Dock.open(dock, workers=0) as opened:
        accounts = Accounts(opened.database, Settings())
        identity = accounts.tokens.identify(secret)
        accounts.close()
    assert identity.account.email == "ada@example.org"
    assert identity.scopes == {Scope.READ, Scope.WRITE}


def test_the_next_command_is_told_with_the_same_dock(run, tmp_path):
    made = added(run, tmp_path / "dock")
    next = f"admin token add ada@example.org --name laptop --dock {tmp_path / 'dock'}"
    assert made.next == f"beimingwu {next}"


def test_accounts_are_listed_promoted_and_suspended(run, tmp_path):
    dock = tmp_path / "dock"
    added(run, dock)
    added(run, dock, "bob@example.org", "Bob", "--role", "admin")
    listed = run("admin", "user", "list", "--dock", dock, "--format", "json").json
    assert [(one["email"], one["role"]) for one in listed] == [
        ("ada@example.org", "user"),
        ("bob@example.org", "admin"),
    ]
    quiet = run("admin", "user", "list", "--role", "admin", "--quiet", "--dock", dock)
    assert quiet.lines == ["bob@example.org"]
    shown = run("admin", "user", "role", "ada@example.org", "super_admin", "--dock", dock)
    assert "super_admin" in shown.out
    words = ("admin", "user", "suspend", "bob@example.org", "--dock", dock, "--format", "json")
    assert run(*words, "--reason", "spam").json["state"] == "suspended"
    assert run(*words).status == 9
    assert run(*words, "--undo").json["state"] == "active"
    last = run("admin", "user", "role", "ada@example.org", "user", "--dock", dock)
    assert last.status == 9
    assert "last super admin" in last.err


def test_a_password_that_was_lost_is_set_anew(run, tmp_path):
    dock = tmp_path / "dock"
    added(run, dock)
    words = ("admin", "user", "password", "ada@example.org", "--password-stdin", "--dock", dock)
    assert run(*words, input="another long password\n").status == 0

    from beimingwu.accounts import Accounts, Actor
    from beimingwu.config import Settings
    from beimingwu.dock import Dock

    with Dock.open(dock, workers=0) as opened:
        accounts = Accounts(opened.database, Settings())
        accounts.people.sign_in("ada@example.org", "another long password", Actor(""))
        accounts.close()


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("admin", "user", "list"), 8),
        (("admin", "user", "suspend", "nobody@example.org"), 8),
        (("admin", "user", "frobnicate"), 2),
        (("admin", "verify"), 8),
        (("admin", "backup", "there"), 8),
        (("admin", "restore", "nowhere"), 8),
    ],
)
def test_what_cannot_be_done_is_told_in_two_lines_and_makes_no_dock(run, home, words, status):
    dock = home / "dock"
    ran = run(*words, *(("--dock", dock) if status != 2 else ()))
    assert (ran.status, ran.out) == (status, "")
    assert len(ran.err.splitlines()) == 2
    assert not dock.exists()


def test_a_bad_password_is_refused_and_not_repeated(run, tmp_path):
    words = ("admin", "user", "add", "ada@example.org", "--name", "Ada", "--password-stdin")
    ran = run(*words, "--dock", tmp_path / "dock", input="secret\n")
    assert ran.status == 3
    assert "secret" not in ran.err


def test_a_dock_is_backed_up_verified_and_brought_back(run, published, tmp_path):
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    made = run("admin", "backup", backup, "--dock", published, "--format", "json")
    assert made.json["blobs"] == 2
    assert run("admin", "restore", backup, "--dock", restored, "--quiet").lines == [str(restored)]
    listed = run("list", "--dock", restored, "--format", "json").json
    assert [record["id"] for record in listed] == ["00000001"]
    sound = run("admin", "verify", "--dock", restored, "--format", "json")
    assert (sound.status, sound.json) == (0, {"blobs": 2, "damaged": {}})

    blob = next(path for path in (restored / "blobs").rglob("*") if path.is_file())
    blob.write_bytes(b"?")
    damaged = run("admin", "verify", "--dock", restored, "--quiet")
    assert damaged.status == 13
    assert damaged.lines == [blob.name]
