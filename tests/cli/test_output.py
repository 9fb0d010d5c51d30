"""What a person and a program get to see."""

import io
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from beimingwu.cli.output import Facts, Output, Table, bytes_in_words, cell, printable

RECORDS = Table(
    ("id", "name", "score"),
    [("00000001", "北京", 0.5), ("00000002", "b", 1.0)],
    numbers=("score",),
)


def show(output: Output) -> None:
    output.show([{"id": "00000001"}], ids=["00000001"], sections=[RECORDS])


def test_a_table_names_its_columns_and_keeps_each_row_on_a_line(capsys):
    show(Output())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["id", "name", "score"],
        ["00000001", "北京", "0.5"],
        ["00000002", "b", "1"],
    ]


def test_columns_stand_under_each_other_where_characters_are_two_cells_wide(capsys):
    from rich.cells import cell_len

    show(Output())
    _, chinese, latin = capsys.readouterr().out.splitlines()
    ends = [cell_len(chinese), cell_len(latin)]
    assert ends[0] == ends[1]


def test_a_piped_table_cuts_and_wraps_nothing_however_long(capsys):
    long = "x" * 5000
    Output().show(None, ids=[], sections=[Table(("a", "b"), [(long, long)])])
    assert f"{long}  {long}" in capsys.readouterr().out.splitlines()


def test_lines_of_a_table_have_no_spaces_at_their_end(capsys):
    Output().show(None, ids=[], sections=[Facts({"a": "1", "b": "longer"})])
    assert capsys.readouterr().out == "a  1\nb  longer\n"


def test_json_is_all_that_is_printed_where_json_was_asked_for(capsys):
    show(Output("json"))
    assert json.loads(capsys.readouterr().out) == [{"id": "00000001"}]


def test_json_holds_moments_in_iso_and_paths_as_text(capsys):
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    Output("json").show({"at": moment, "file": Path("a")}, ids=[], sections=[])
    assert json.loads(capsys.readouterr().out) == {"at": "2026-01-02T03:04:00+00:00", "file": "a"}


@pytest.mark.parametrize("form", ["table", "json"])
def test_quiet_prints_ids_only_and_says_nothing(capsys, form):
    output = Output(form, quiet=True)
    show(output)
    output.say("hello")
    output.next("show", "00000001")
    output.line("a step")
    assert tuple(capsys.readouterr()) == ("00000001\n", "")


def test_talk_goes_to_stderr_and_the_next_command_can_be_copied(capsys):
    Output().next("predict", "--learnware", "00000001", "my data.csv")
    assert tuple(capsys.readouterr()) == (
        "",
        "Next: beimingwu predict --learnware 00000001 'my data.csv'\n",
    )


def test_empty_sections_leave_no_trace(capsys):
    Output().show(None, ids=[], sections=["", Facts({}), Table(("a",), []), "the end"])
    assert capsys.readouterr().out == "the end\n"


def test_what_a_stranger_wrote_cannot_steer_the_terminal(capsys):
    Output().show(
        None,
        ids=[],
        sections=[
            Facts({"name": "\x1b]0;owned\x07\u202etxt"}),
            "\x9b31m",
            Table(("a",), [["\x1b[2J"]]),
        ],
    )
    Output().say("\x1b[31m")
    Output().line("\x1b[31m")
    out, err = capsys.readouterr()
    assert not set("\x1b\x07\x9b\u202e") & set(out + err)


def test_a_name_is_shown_as_written_even_when_it_looks_like_markup(capsys):
    Output().show(None, ids=[], sections=[Facts({"name": "[red]:smile:[/red]"})])
    assert "[red]:smile:[/red]" in capsys.readouterr().out


def test_line_breaks_and_tabs_of_a_description_stay():
    assert printable("a\n\tb") == "a\n\tb"


def test_a_spinner_is_silent_where_nobody_watches(capsys):
    with Output().working("searching"):
        pass
    assert tuple(capsys.readouterr()) == ("", "")


def test_a_spinner_at_a_terminal_tells_what_goes_on_now(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")

    def wait_for(text):
        deadline = time.monotonic() + 20
        while text not in terminal.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert text in terminal.getvalue()

    doing = ["finding versions"]
    with Output().working(lambda: f"checking … {doing[0]}"):
        wait_for("checking … finding versions")
        doing[0] = "installing\x1b[31m"
        wait_for("checking … installing\N{REPLACEMENT CHARACTER}[31m")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ((), "-"),
        (("a", "b"), "a, b"),
        (1234, "1,234"),
        (0.123456, "0.1235"),
        ("a\nb", "a b"),
    ],
)
def test_a_cell_shows_a_value_on_one_line(value, shown):
    assert cell(value) == shown


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (1024, "1.0 KiB"), (3 * 1024**4, "3072.0 GiB")]
)
def test_a_size_is_given_in_words(size, words):
    assert bytes_in_words(size) == words


def test_rich_is_not_imported_for_json_and_ids():
    import subprocess

    program = (
        "import sys; from beimingwu.cli.output import Output;"
        "Output('json').show([], ids=[], sections=[]);"
        "Output(quiet=True).show([], ids=[1], sections=[]);"
        "assert not [name for name in sys.modules if name.startswith('rich')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
