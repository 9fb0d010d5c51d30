"""The command line as a whole: help, examples, names, start-up, exits."""

import os
import pty
import shlex
import signal
import subprocess
import sys

import click
import pytest

from beimingwu.cli.commands import COMMANDS, beimingwu
from beimingwu.cli.options import ExampleCommand

NAMES = [name for names in COMMANDS.values() for name in names]


def command_of(words: str) -> click.Command:
    command: click.Command = beimingwu
    for word in words.split():
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    return command


def leaves(words: str) -> list[str]:
    """Return the commands that do something, of one that may be a group of them."""
    command = command_of(words)
    if not isinstance(command, click.Group):
        return [words]
    return [leaf for name in command.commands for leaf in leaves(f"{words} {name}")]


OURS = [leaf for name in NAMES if name != "demo" for leaf in leaves(name)]


def modules_after(*words: str) -> set[str]:
    program = (
        "import sys\n"
        "from beimingwu.cli import main\n"
        f"sys.argv = ['beimingwu', *{words!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return set(done.stderr.splitlines())


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("specify", "--help")])
def test_no_heavy_import_before_a_command_does_something(words):
    modules = modules_after(*words)
    assert "beimingwu.cli.commands" in modules
    assert not {"numpy", "scipy", "sqlalchemy", "rich", "pandas", "platformdirs"} & modules


def test_the_version_is_printed_without_importing_any_command():
    modules = modules_after("--version")
    assert not {f"beimingwu.cli.{name}" for name in NAMES} & modules


def test_help_names_every_command_with_a_line_about_it(run):
    ran = run("--help")
    assert ran.status == 0
    for name in NAMES:
        [line] = [line for line in ran.lines if line.startswith(f"  {name} ")]
        assert len(line.split()) > 3
        assert name == "demo" or not line.endswith("..."), "the sentence is cut"


@pytest.mark.parametrize("name", ["demo", *OURS, "admin", "admin user"])
def test_the_help_of_every_command_ends_with_an_example(run, name):
    ran = run(*name.split(), "--help")
    assert ran.status == 0
    assert f"  beimingwu {name}" in ran.out[ran.out.index("Examples:") :]


@pytest.mark.parametrize("name", OURS)
def test_every_example_in_help_can_be_typed(name):
    command = command_of(name)
    assert isinstance(command, ExampleCommand)
    for example in command.examples:
        words = shlex.split(example.replace("\\\n", " "))
        typed = len(name.split())
        assert words[:typed] == name.split()
        command.make_context(name, words[typed:])


@pytest.mark.parametrize("name", OURS)
def test_every_command_can_speak_json_and_be_quiet(name):
    options = {option for parameter in command_of(name).params for option in parameter.opts}
    assert {"--format", "--quiet"} <= options


def test_an_option_means_the_same_in_every_command():
    meanings: dict[str, set[tuple[str, bool]]] = {}
    for name in OURS:
        for parameter in command_of(name).params:
            for option in parameter.opts:
                if isinstance(parameter, click.Option):
                    kind = (type(parameter.type).__name__, parameter.is_flag)
                    meanings.setdefault(option, set()).add(kind)
    assert {option: kinds for option, kinds in meanings.items() if len(kinds) > 1} == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["lst"],
            "Error: There is no command 'lst'. Did you mean 'list'?\n"
            "`beimingwu --help` shows how it is used.\n",
        ),
        (
            ["show"],
            "Error: Missing argument 'ID'.\n`beimingwu show --help` shows how it is used.\n",
        ),
        (
            ["list", "--task"],
            "Error: Option '--task' requires an argument.\n"
            "`beimingwu list --help` shows how it is used.\n",
        ),
        (
            ["list", "--limit", "many"],
            "Error: Invalid value for '--limit': 'many' is not a valid integer range.\n"
            "`beimingwu list --help` shows how it is used.\n",
        ),
        (
            ["update", "00000001"],
            "Error: Nothing to update: give --archive, --semantic, or both.\n"
            "`beimingwu update --help` shows how it is used.\n",
        ),
        (
            ["predict", "mine.csv"],
            "Error: Which learnwares? Give --learnware ID, or --auto to find them.\n"
            "`beimingwu predict --help` shows how it is used.\n",
        ),
        (
            ["predict", "--learnware", "00000001", "--auto", "mine.csv"],
            "Error: Give --learnware, or have learnwares found by --auto or --spec, not both.\n"
            "`beimingwu predict --help` shows how it is used.\n",
        ),
        (
            ["search", "--spec", "stat.json", "--data", "mine.csv"],
            "Error: Give --spec or --data, not both.\n"
            "`beimingwu search --help` shows how it is used.\n",
        ),
    ],
)
def test_a_mistyped_command_is_told_in_two_lines(run, words, told):
    ran = run(*words)
    assert (ran.status, ran.out, ran.err) == (2, "", told)


def test_beimingwu_alone_shows_help_on_stderr(run):
    ran = run()
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("Usage: beimingwu")


def test_a_defect_of_ours_is_two_lines_in_a_real_process(process, tmp_path):
    breaks = "import beimingwu.cli.version as v\ndef broken(*a, **k): raise ZeroDivisionError('oh')"
    (tmp_path / "sitecustomize.py").write_text(f"{breaks}\nv.version.callback = broken\n")
    with process("version", env={**os.environ, "PYTHONPATH": str(tmp_path)}) as running:
        out, err = running.communicate(timeout=60)
    assert running.returncode == 70
    assert out == ""
    assert err.splitlines()[0] == "Error: This is a defect of beimingwu: ZeroDivisionError: oh"
    assert len(err.splitlines()) == 2


def test_a_reader_that_went_away_is_no_error_to_tell(process, published):
    reader, writer = os.pipe()
    os.close(reader)
    with process("list", "--format", "json", "--dock", published, stdout=writer) as running:
        os.close(writer)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 141
    assert [line for line in err.splitlines() if not line.startswith("Next: ")] == []


def test_output_that_is_piped_has_no_colour(process, published, mine):
    for words in (["show", "00000001"], ["search", "--data", mine], ["list"]):
        with process(*words, "--dock", published, env={**os.environ, "TERM": "xterm"}) as running:
            out, err = running.communicate(timeout=60)
        assert running.returncode == 0
        assert "\x1b" not in out + err


def test_a_terminal_gets_bold_headings_in_its_width(published):
    shown = at_terminal(f"list --dock {published}")
    assert "\x1b[1mid" in shown
    assert "Price of a" in shown


def test_a_person_at_a_terminal_is_asked_before_a_learnware_is_deleted(published):
    shown = at_terminal(f"delete 00000001 --dock {published}", typed="n\n")
    assert "Delete 00000001 (Price of a flat) for good? [y/N]" in shown
    assert "Nothing was done." in shown


def at_terminal(words: str, typed: str = "") -> str:
    """Return what a terminal of 80 columns shows of a command."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ |= {"TERM": "xterm", "COLUMNS": "80"}
        program = "from beimingwu.cli import main; main()"
        os.execv(sys.executable, [sys.executable, "-c", program, *shlex.split(words)])
    os.write(terminal, typed.encode())
    shown = b""
    try:
        while some := os.read(terminal, 4096):
            shown += some
    except OSError:
        pass  # The child closed its side: all is read.
    os.waitpid(child, 0)
    os.close(terminal)
    return shown.decode()


def test_an_interrupted_submission_is_quiet_and_goes_on_when_it_is_looked_at(
    process, run, owner, write_module, tmp_path
):
    slow = write_module(tmp_path / "slow", "import time; time.sleep(0.3); return X[:, :1]")
    words = ["--name", "A slow model", "--description", "It takes its time.", "--license", "MIT"]
    words += ["--scenario", "Others", "--task", "Regression", "--output-names", "rain"]
    archive, dock = tmp_path / "slow.zip", tmp_path / "dock"
    assert run("pack", slow, "--spec", owner.spec, *words, "-o", archive).status == 0
    with process("submit", archive, "--dock", dock, start_new_session=True) as running:
        while "statistical" not in running.stderr.readline():
            assert running.poll() is None
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert out == ""
    assert "Error" not in err and "Traceback" not in err
    assert f"Next: beimingwu show 00000001 --dock {dock}" in err

    ran = run("show", "00000001", "--dock", dock, "--format", "json")
    assert ran.json["state"] == "published"


def test_a_terminal_that_cannot_show_a_character_gets_a_question_mark(process):
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    with process("version", "--dock", "北京", env=latin) as running:
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert "dock        ??" in out
