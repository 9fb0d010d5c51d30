"""`beimingwu pack`: a model and its two specifications in one archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beimingwu.cli.options import FILE, NEW_FILE, command, output_options
from beimingwu.cli.output import Facts, Output, bytes_in_words

if TYPE_CHECKING:
    from beimingwu.specification import RKME

PICKLES = (".pkl", ".pickle", ".joblib")

#: What has to be said of a learnware where no file says it: the argument and its option.
_WORDS = {
    "name": "--name",
    "description": "--description",
    "scenarios": "--scenario",
    "license": "--license",
}


@command(
    "pack model.pkl --spec stat.json --semantic semantic.json -o learnware.zip",
    "pack model.joblib --spec stat.json --name 'House prices, Porto' --task Regression \\\n"
    "      --description 'Price in euro of a flat from its size and place.' \\\n"
    "      --scenario Business --license MIT",
    "pack my_model/ --spec stat.json --semantic semantic.json",
)
@click.argument("model", type=FILE, metavar="MODEL")
@click.option(
    "--spec", type=FILE, metavar="FILE", required=True, help="What `beimingwu specify` wrote."
)
@click.option("--semantic", type=FILE, metavar="FILE", help="A semantic specification in JSON.")
@click.option("--name", metavar="TEXT", help="Of the learnware, 5 to 50 characters.")
@click.option("--description", metavar="TEXT", help="What it is good for, Markdown.")
@click.option(
    "--task", metavar="VALUE", help="Such as Regression; seen from the model if left out."
)
@click.option(
    "--library", metavar="VALUE", help="Such as Scikit-learn; seen from the model if left out."
)
@click.option(
    "--scenario", "scenarios", metavar="VALUE", multiple=True, help="Such as Nature. Repeatable."
)
@click.option("--license", metavar="VALUE", help="Such as MIT or CC-BY-4.0.")
@click.option(
    "--input-names",
    metavar="NAMES",
    help="The features, split by commas; those of the specification if left out.",
)
@click.option(
    "--output-names",
    metavar="NAMES",
    help="The targets or classes, split by commas, in the order of the model's answers.",
)
@click.option(
    "--requirements",
    type=FILE,
    metavar="FILE",
    help="A requirements.txt; the packages that the model needs, as installed here, if left out.",
)
@click.option(
    "--class-name", metavar="NAME", help="Of the model in a folder's module, if there are several."
)
@click.option(
    "--output",
    "-o",
    "archive",
    type=NEW_FILE,
    metavar="FILE",
    default="learnware.zip",
    show_default=True,
    help="The archive to write.",
)
@output_options
def pack(
    model: Path,
    spec: Path,
    semantic: Path | None,
    input_names: str | None,
    output_names: str | None,
    requirements: Path | None,
    archive: Path,
    output: Output,
    **words: Any,
) -> None:
    """Pack MODEL and its specifications as a learnware.

    MODEL is a folder with a module of your own, an .onnx file, or a pickle (.pkl, .pickle, .joblib)
    of an estimator. Loading a pickle runs the code in it: give only a file that you made yourself.
    """
    from beimingwu.learnware import pack as pack_learnware
    from beimingwu.specification import SemanticSpecification, read_specification

    statistical = named(read_specification(spec), input_names)
    if semantic is None:
        _require(words)
        meaning = None
    else:
        meaning = SemanticSpecification.from_json(semantic.read_bytes())
    if requirements is not None:
        words["requirements"] = requirements.read_text("utf-8").splitlines()
    loaded = load_model(model, output)
    with output.working("packing …"), _told_as_options():
        written = pack_learnware(
            loaded, statistical, meaning, archive, outputs=_split(output_names), **words
        )
    _show(written, output)
    output.next("check", written)


def _show(archive: Path, output: Output) -> None:
    from beimingwu.learnware import open_archive

    with open_archive(archive) as opened:
        semantic, statistical = opened.semantic(), opened.specification()
        needs = [line for line in opened.requirements().text.splitlines() if line]
        files, sha256 = opened.names, opened.sha256
    size = archive.stat().st_size
    facts: dict[str, Any] = {
        "archive": str(archive),
        "size": size,
        "sha256": sha256,
        "name": semantic.name if semantic else "",
        "task": semantic.task if semantic else "",
        "library": semantic.library if semantic else "",
        "specification": repr(statistical),
        "requirements": needs,
        "files": list(files),
    }
    to_read = facts | {"size": bytes_in_words(size)}
    output.show(facts, ids=[archive], sections=[Facts(to_read)])


def load_model(path: Path, output: Output) -> object:
    """Return what `pack` takes: the path itself, or the estimator in a pickle of the user's own.

    Raises
    ------
    InvalidInput
        It is none of the three, or cannot be loaded.
    """
    from beimingwu.errors import InvalidInput

    if not path.exists():
        raise InvalidInput(
            f"There is no model {str(path)!r}.",
            remedy="Give a folder with a module, an .onnx file, or a pickle of an estimator.",
            code="input.no_model",
        )
    if path.is_dir() or path.suffix == ".onnx":
        return path
    if path.suffix not in PICKLES:
        raise InvalidInput(
            f"{str(path)!r} is not a model that can be packed.",
            remedy=f"Give a folder with a module, an .onnx file, or one of {', '.join(PICKLES)}.",
            code="input.model_type",
        )
    output.say(f"Loading {path} runs the code in it; that is safe only because you made the file.")
    return _unpickled(path)


def _unpickled(path: Path) -> object:
    import pickle

    from beimingwu.errors import InvalidInput

    try:
        if path.suffix == ".joblib":
            import joblib  # type: ignore[import-untyped]

            return joblib.load(path)
        with path.open("rb") as file:
            return pickle.load(file)  # noqa: S301 - the person's own file, as the help says
    except Exception as failure:  # Whatever the code in a pickle raises.
        raise InvalidInput(
            f"{str(path)!r} cannot be loaded: {type(failure).__name__}: {failure}.",
            remedy="Save the model again, and load it with the packages that it was saved with.",
            code="input.model_unreadable",
        ) from failure


def named(spec: RKME, names: str | None) -> RKME:
    """Return the specification with the feature names that were typed."""
    return replace(spec, features=_split(names)) if names else spec


def _split(names: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",")) if names else ()


def _require(words: dict[str, Any]) -> None:
    missing = [option for word, option in _WORDS.items() if not words[word]]
    if missing:
        raise click.UsageError(
            f"What the learnware is for is not known: add {', '.join(missing)}, or --semantic FILE."
        )


@contextmanager
def _told_as_options() -> Iterator[None]:
    """Name options where the library, which is asked in Python, names its arguments."""
    from beimingwu.errors import InvalidInput

    try:
        yield
    except InvalidInput as error:
        if error.code == "pack.words_missing":
            remedy = "Add --task, and --output-names where the model does not show its answers."
        elif error.code == "pack.said_twice":
            remedy = "Give --semantic, or say it all by options."
        elif error.code == "pack.no_class":
            remedy = "Say which is the model with --class-name."
        else:
            raise
        raise InvalidInput(error.problem, remedy=remedy, code=error.code) from None
