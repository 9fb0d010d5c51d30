"""What a learnware is for, in words: the vocabularies of 2024 and the semantic specification.

A semantic specification is filled in by a person and read by people and by filters. It is read and
written as the JSON of the 2024 dock and of the public engine, with the additions of its release
0.4.0. Used by `learnware` (embedded in archives), `search` (filters) and `dock`.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NoReturn

from beimingwu.config import settings
from beimingwu.errors import InvalidSpecification
from beimingwu.specification.bounded_json import Bounds, parse_json

#: Every key with a fixed choice of values. `Model` is the one that may be left out.
VOCABULARIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Data": ("Table", "Image", "Text"),
        "Task": (
            "Classification",
            "Regression",
            "Feature Extraction",
            "Segmentation",
            "Object Detection",
            "Text Generation",
            "Others",
        ),
        "Library": ("Scikit-learn", "PyTorch", "TensorFlow", "Others"),
        "Scenario": (
            "Business",
            "Financial",
            "Health",
            "Politics",
            "Computer",
            "Internet",
            "Traffic",
            "Nature",
            "Fashion",
            "Industry",
            "Agriculture",
            "Education",
            "Entertainment",
            "Architecture",
            "Others",
        ),
        "License": (
            "MIT",
            "Apache-2.0",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "GPL-2.0",
            "GPL-3.0",
            "LGPL-2.1",
            "LGPL-3.0",
            "AGPL-3.0",
            "ECL-2.0",
            "AFL-3.0",
            "CC-BY-4.0",
            "CC-BY-SA-4.0",
            "Others",
        ),
        "Model": ("Base Model", "Fine-tuned Model", "PEFT Model", "Others"),
    }
)

#: Data whose rows have named features, and tasks whose answers have named outputs.
DATA_WITH_INPUT = ("Table",)
TASKS_WITH_OUTPUT = ("Classification", "Regression")

NAME_CHARACTERS = (5, 50)
DESCRIPTION_CHARACTERS = (10, 10_000)

_TYPES = {
    "Data": "Class",
    "Task": "Class",
    "Model": "Optional",
    "Library": "Class",
    "License": "Class",
    "Scenario": "Tag",
    "Name": "String",
    "Description": "String",
}
# Control characters, and halves of surrogate pairs: neither can be shown or stored everywhere. What
# turns the direction of a text makes it read as another, in whatever page shows it (UTR 36, 2.10).
_CONTROL_IN_LINES = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
# Categories of Unicode that a name of one line has no use for: controls, formats (of no width),
# surrogates, ends of lines and of paragraphs.
_NOT_IN_NAMES = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
# Letters and symbols by their category, and blank all the same: fillers of Hangul, empty Braille.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_BYTES_PER_CHARACTER = 12  # in ASCII JSON, a pair of surrogates
_BYTES_PER_INDEX = 64
_DEEPEST = 6
_MOST_TEXTS = 50_000


@dataclass(frozen=True)
class Dimensions:
    """The inputs or outputs of a learnware: how many, and what each of them is.

    Parameters
    ----------
    dimension
        Number of features, of regression targets, or of classes.
    description
        What a feature, target or class is, by its index from 0. May leave some out.

    Raises
    ------
    InvalidSpecification
        A dimension below 1, an index outside it, a description that is no text.

    Examples
    --------
    >>> Dimensions.of(["rain [mm]", "wind [m/s]"])
    Dimensions(dimension=2, description={0: 'rain [mm]', 1: 'wind [m/s]'})
    """

    dimension: int
    description: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Sequence[str]) -> Dimensions:
        """Return the dimensions that `names` describes in full, one name each."""
        return cls(len(names), dict(enumerate(names)))

    def __post_init__(self) -> None:
        _check_dimension(self.dimension)
        if not isinstance(self.description, Mapping):
            _refuse("dimensions", "description", self.description, "a text for each index")
        for index, text in self.description.items():
            if isinstance(index, bool) or not isinstance(index, int):
                _refuse("dimensions", "an index of the description", index, "an int")
            if not 0 <= index < self.dimension:
                _refuse(
                    "dimensions",
                    "an index of the description",
                    index,
                    f"in the range [0, {self.dimension})",
                )
            _check_text("dimensions", f"the description of {index}", text, (0, 10_000))
        object.__setattr__(self, "description", dict(sorted(self.description.items())))

    @property
    def names(self) -> tuple[str, ...]:
        """All descriptions in order where every index has one, else empty."""
        if len(self.description) < self.dimension:
            return ()
        return tuple(self.description.values())

    @classmethod
    def from_json(cls, given: object) -> Dimensions:
        """Read `{"Dimension": 2, "Description": {"0": "rain"}}`, or a text that holds it.

        Examples
        --------
        >>> Dimensions.from_json('{"Dimension": 2, "Description": {"0": "rain"}}')
        Dimensions(dimension=2, description={0: 'rain'})
        """
        if isinstance(given, str):
            given = parse_json(given, _bounds(), what="The dimensions", code="semantic.dimensions")
        if not isinstance(given, Mapping):
            _refuse("dimensions", "dimensions", given, 'an object with "Dimension"')
        if "Dimension" not in given:
            _refuse("dimensions", "dimensions", dict(given), 'an object with "Dimension"')
        description = given.get("Description") or {}
        if not isinstance(description, Mapping):
            _refuse("dimensions", "Description", description, 'an object such as {"0": "rain"}')
        return cls(given["Dimension"], {_index(key): text for key, text in description.items()})

    def to_json(self) -> dict[str, object]:
        """Return the old JSON.

        Examples
        --------
        >>> Dimensions(1).to_json()
        {'Dimension': 1, 'Description': {}}
        """
        described = {str(index): text for index, text in self.description.items()}
        return {"Dimension": self.dimension, "Description": described}


@dataclass(frozen=True, kw_only=True)
class SemanticSpecification:
    """What a learnware is for, in the words of a fixed vocabulary and in its owner's own.

    Parameters
    ----------
    name
        5 to 50 characters.
    description
        10 to 10,000 characters, Markdown.
    data, task, library, license
        One value each of `VOCABULARIES`.
    scenarios
        One value or several of `VOCABULARIES["Scenario"]`; kept as a tuple.
    input
        The features; for tables, and only there.
    output
        The targets or classes; for classification and regression, and only there.
    model
        One value of `VOCABULARIES["Model"]`, or None.

    Raises
    ------
    InvalidSpecification
        Names the field, what was given and what is allowed; its code is `semantic.<field>`.

    Examples
    --------
    >>> spec = SemanticSpecification(
    ...     name="Air quality, Beijing", description="Tomorrow's PM2.5 from today's weather.",
    ...     data="Table", task="Regression", library="Scikit-learn", scenarios="Nature",
    ...     license="MIT", input=Dimensions.of(["rain", "wind"]), output=Dimensions(1))
    >>> spec.feature_names
    ('rain', 'wind')
    >>> SemanticSpecification.from_json(spec.dumps()) == spec
    True
    """

    name: str
    description: str
    data: str
    task: str
    library: str
    scenarios: Sequence[str]
    license: str
    input: Dimensions | None = None
    output: Dimensions | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        _check_text("name", "name", self.name, NAME_CHARACTERS, one_line=True)
        _check_text("description", "description", self.description, DESCRIPTION_CHARACTERS)
        for key in ("Data", "Task", "Library", "License"):
            _check_value(key, getattr(self, key.lower()))
        if self.model is not None:
            _check_value("Model", self.model)
        object.__setattr__(self, "scenarios", _scenarios(self.scenarios))
        _check_dimensions("input", self.input, "data", self.data, DATA_WITH_INPUT)
        _check_dimensions("output", self.output, "task", self.task, TASKS_WITH_OUTPUT)
        if self.task == "Classification" and self.output and self.output.dimension < 2:
            _refuse(
                "output",
                "the dimension of the output",
                self.output.dimension,
                "the number of classes, 2 or more",
            )
        self._check_size()

    def _check_size(self) -> None:
        most = settings().manifest_max_bytes
        described = [
            text for side in (self.input, self.output) if side for text in side.description.values()
        ]
        characters = len(self.name) + len(self.description) + sum(map(len, described))
        # A dock reads millions of these: only one that could be too large is written out to see.
        if _BYTES_PER_CHARACTER * characters + _BYTES_PER_INDEX * (len(described) + 100) <= most:
            return
        if (size := len(self.dumps())) > most:
            raise InvalidSpecification(
                f"The semantic specification takes {size:,} bytes; {most:,} is the most.",
                remedy="Shorten the descriptions of its inputs and outputs.",
                code="semantic.too_large",
            )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The descriptions of all inputs in order, or empty where any is missing."""
        return self.input.names if self.input is not None else ()

    @classmethod
    def from_json(cls, given: bytes | str | Mapping[str, object]) -> SemanticSpecification:
        """Read the old JSON: a text, or an object already parsed.

        Keys that are not of the format are passed over, and so are dimensions where the data or
        task has none, as the 2024 dock does.

        Raises
        ------
        InvalidSpecification
            As the constructor; and `semantic.json`, `semantic.duplicate_key` … for text that is
            not JSON within bounds.
        TooLarge
            A text over `manifest_max_bytes`.
        """
        if isinstance(given, (bytes, str)):
            what = "The semantic specification"
            parsed = parse_json(given, _bounds(), what=what, code="semantic")
        else:
            parsed = given
        if not isinstance(parsed, Mapping):
            raise InvalidSpecification(
                f"A semantic specification is a JSON object. Got {_shown(parsed)} instead.",
                remedy="Write it with `SemanticSpecification.dumps`.",
                code="semantic.json",
            )
        return cls(
            name=_string(parsed, "Name"),
            description=_string(parsed, "Description"),
            data=(data := _one(parsed, "Data")),
            task=(task := _one(parsed, "Task")),
            library=_one(parsed, "Library"),
            scenarios=_several(parsed, "Scenario"),
            license=_one(parsed, "License"),
            model=_one(parsed, "Model") if _given(parsed.get("Model")) else None,
            input=_dimensions(parsed, "Input") if data in DATA_WITH_INPUT else None,
            output=_dimensions(parsed, "Output") if task in TASKS_WITH_OUTPUT else None,
        )

    def to_json(self) -> dict[str, object]:
        """Return the old JSON as an object; dimensions that do not apply are `{}`, as there."""
        values: dict[str, object] = {
            "Data": [self.data],
            "Task": [self.task],
            "Model": [self.model],
            "Library": [self.library],
            "License": [self.license],
            "Scenario": list(self.scenarios),
            "Name": self.name,
            "Description": self.description,
        }
        if self.model is None:
            del values["Model"]
        made: dict[str, object] = {
            key: {"Type": _TYPES[key], "Values": value} for key, value in values.items()
        }
        made["Input"] = self.input.to_json() if self.input else {}
        made["Output"] = self.output.to_json() if self.output else {}
        return made

    def dumps(self) -> str:
        """Return the old JSON as text, indented and in ASCII as the 2024 dock serves it."""
        return json.dumps(self.to_json(), indent=4)


def _bounds() -> Bounds:
    most = settings().manifest_max_bytes
    return Bounds(bytes=most, depth=_DEEPEST, containers=100, values=_MOST_TEXTS, texts=_MOST_TEXTS)


def _given(entry: object) -> bool:
    """Whether an optional entry says anything: the old clients send it empty where it does not."""
    return bool(entry.get("Values")) if isinstance(entry, Mapping) else entry is not None


def _values(given: Mapping[str, object], key: str) -> object:
    """Return what the old JSON gives under `key`, after checking its `Type`."""
    entry = given.get(key)
    shape = {"Type": _TYPES[key], "Values": "text" if _TYPES[key] == "String" else ["…"]}
    if not isinstance(entry, Mapping) or "Values" not in entry:
        _refuse(key.lower(), key, entry, json.dumps(shape, ensure_ascii=False))
    if entry.get("Type") != _TYPES[key]:
        _refuse(key.lower(), f"the type of {key}", entry.get("Type"), repr(_TYPES[key]))
    return entry["Values"]


def _string(given: Mapping[str, object], key: str) -> str:
    value = _values(given, key)
    return value if isinstance(value, str) else _refuse(key.lower(), key, value, "text")


def _several(given: Mapping[str, object], key: str) -> tuple[str, ...]:
    values = _values(given, key)
    if not isinstance(values, (list, tuple)):
        _refuse(key.lower(), key, values, f"a list of {_choices(key)}")
    return tuple(values)


def _one(given: Mapping[str, object], key: str) -> str:
    values = _several(given, key)
    if len(values) != 1:
        _refuse(key.lower(), key, list(values), f"exactly one of {_choices(key)}")
    return values[0]


def _dimensions(given: Mapping[str, object], key: str) -> Dimensions | None:
    entry = given.get(key)
    if not entry:
        return None
    try:
        return Dimensions.from_json(entry)
    except InvalidSpecification as error:
        raise InvalidSpecification(
            f"{key}: {error.problem}", remedy=error.remedy, code=f"semantic.{key.lower()}"
        ) from None


def _index(key: object) -> int:
    """Return the index that a key of the old JSON writes in decimal digits."""
    if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 10:
        return int(key)
    _refuse("dimensions", "an index of the description", key, "digits such as '0'")


def _check_dimension(dimension: object) -> None:
    most = settings().specification_max_numbers
    allowed = f"an int in the range [1, {most:,}]"
    if isinstance(dimension, bool) or not isinstance(dimension, int):
        _refuse("dimensions", "dimension", dimension, allowed)
    if not 1 <= dimension <= most:
        _refuse("dimensions", "dimension", dimension, allowed)


def _check_dimensions(
    name: str, given: object, because: str, value: str, where: tuple[str, ...]
) -> None:
    needed = value in where
    if needed and not isinstance(given, Dimensions):
        _refuse(name, name, given, f"Dimensions(…), since the {because} is {value!r}")
    if not needed and given is not None:
        _refuse(name, name, given, f"left out where the {because} is {value!r}")


def _check_text(
    code: str, what: str, text: object, length: tuple[int, int], *, one_line: bool = False
) -> None:
    fewest, most = length
    allowed = f"text of {fewest:,} to {most:,} characters"
    if not isinstance(text, str):
        _refuse(code, what, text, allowed)
    if not fewest <= len(text) <= most:
        _refuse(code, what, text, f"{allowed} ({len(text):,} here)")
    if _CONTROL_IN_LINES.search(text) or (
        one_line and not _NOT_IN_NAMES.isdisjoint(map(unicodedata.category, text))
    ):
        _refuse(code, what, text, "text without control characters or invisible ones")
    if fewest and not any(map(_is_visible, text)):
        _refuse(code, what, text, f"{allowed}, some of which one can see")


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and character not in _BLANK


def _check_value(key: str, given: object) -> None:
    if given in VOCABULARIES[key]:
        return
    _refuse(key.lower(), key.lower(), given, f"one of {_choices(key)}", _did_you_mean(key, given))


def _scenarios(given: object) -> tuple[str, ...]:
    values = (given,) if isinstance(given, str) else given
    if not isinstance(values, Sequence) or isinstance(values, bytes) or not values:
        _refuse("scenario", "scenarios", given, f"one or more of {_choices('Scenario')}")
    for value in values:
        if value not in VOCABULARIES["Scenario"]:
            hint = _did_you_mean("Scenario", value)
            _refuse("scenario", "scenarios", value, f"one or more of {_choices('Scenario')}", hint)
    return tuple(dict.fromkeys(values))


def _choices(key: str) -> str:
    return ", ".join(VOCABULARIES[key])


def _did_you_mean(key: str, given: object) -> str:
    lowered = {value.lower(): value for value in VOCABULARIES[key]}
    near = difflib.get_close_matches(str(given)[:100].lower(), lowered, n=1)
    return f"Did you mean {lowered[near[0]]!r}?" if near else ""


def _refuse(code: str, what: str, given: object, allowed: str, remedy: str = "") -> NoReturn:
    raise InvalidSpecification(
        f"Semantic specification: {what} must be {allowed}. Got {_shown(given)} instead.",
        remedy=remedy or f"Correct {what} of the semantic specification.",
        code=f"semantic.{code}",
    )


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}…"
