"""What goes wrong is told in two lines, with an exit status of its own and never a traceback."""

from pathlib import Path

import click
import pytest

from beimingwu import errors
from beimingwu.cli.failures import report


def told(capsys, problem: BaseException) -> tuple[int, list[str]]:
    status = report(problem)
    out, err = capsys.readouterr()
    assert out == ""
    return status, err.splitlines()


def every_error(kind: type[errors.BeimingwuError] = errors.BeimingwuError):
    yield kind
    for below in kind.__subclasses__():
        yield from every_error(below)


@pytest.mark.parametrize("kind", [*every_error()])
def test_every_error_of_ours_is_two_lines_and_its_own_status(capsys, kind):
    status, lines = told(capsys, kind("It is broken.", remedy="Mend it."))
    assert lines == ["Error: It is broken.", "Mend it."]
    assert status == kind.exit_status != 0


def test_an_error_without_a_remedy_still_has_two_lines(capsys):
    _, lines = told(capsys, errors.NotFound("It is gone.", code="not_found.thing"))
    assert lines == ["Error: It is gone.", "Its code is not_found.thing."]


def test_a_message_of_several_lines_stays_one(capsys):
    _, lines = told(capsys, errors.GuestCrashed("It said:\n  a\n  b", remedy="Look\nthere."))
    assert lines == ["Error: It said: a b", "Look there."]


def test_what_a_learnware_printed_cannot_steer_the_terminal(capsys):
    _, lines = told(capsys, errors.GuestCrashed("It said \x1b[2J", remedy="\x9b"))
    assert "\x1b" not in lines[0] and "\x9b" not in lines[1]


def test_an_unexpected_exception_is_told_as_a_defect_of_ours(capsys):
    status, lines = told(capsys, ZeroDivisionError("division by zero"))
    assert status == 70
    assert lines == [
        "Error: This is a defect of beimingwu: ZeroDivisionError: division by zero",
        "Please report it with the command you ran and what BEIMINGWU_DEBUG=1 shows.",
    ]


def test_debugging_shows_the_traceback_above_the_two_lines(capsys, monkeypatch):
    monkeypatch.setenv("BEIMINGWU_DEBUG", "1")
    try:
        raise ZeroDivisionError("division by zero")
    except ZeroDivisionError as problem:
        _, lines = told(capsys, problem)
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-2].startswith("Error: This is a defect")


def test_a_setting_that_cannot_be_read_does_not_hide_the_error(capsys, monkeypatch):
    monkeypatch.setenv("BEIMINGWU_DEBUG", "of course")
    status, lines = told(capsys, errors.NotFound("It is gone.", remedy="Look."))
    assert (status, lines) == (8, ["Error: It is gone.", "Look."])


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_quiet(capsys, problem):
    assert told(capsys, problem) == (130, [])


def test_a_missing_file_is_named(capsys):
    with pytest.raises(OSError) as caught:
        Path("/no/such/file").read_bytes()
    status, lines = told(capsys, caught.value)
    assert status == 74
    assert lines[0] == "Error: No such file or directory: /no/such/file."
    assert len(lines) == 2


def test_running_out_of_memory_is_two_lines(capsys):
    status, lines = told(capsys, MemoryError())
    assert status == 74 and len(lines) == 2
