"""How long a dock takes to list, count and facet what has tags and words, beside a scan of it all.

The catalogue, an SQLite file, is filled with learnwares whose words are as frequent as those of a
language, one in ten of them Chinese. Every count is compared with the scan's. Times are of the
processor, since a query waits for nothing else. Writes benchmarks/results/search_text.json.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

from beimingwu.dock import schema
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.fulltext import folded
from beimingwu.dock.listing import Listing
from beimingwu.search.semantic import KEYS, SemanticFilter, facets_of
from beimingwu.specification.semantic import VOCABULARIES, Dimensions, SemanticSpecification

RESULTS = Path(__file__).parent / "results" / "search_text.json"
SYLLABLES = [f"{consonant}{vowel}" for consonant in "bcdfghklmnprstvwz" for vowel in "aeiou"]
WORDS, LETTERS = 30_000, 1_500
BATCH = 5_000

T = TypeVar("T")
Everything = list[tuple[SemanticSpecification, str]]


def main() -> None:
    """Fill a catalogue, measure, print one table, write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="learnwares")
    parser.add_argument("--runs", type=int, default=5, help="of each query")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        catalogue = Catalogue(Path(folder) / "catalogue.sqlite")
        everything: Everything = []
        started = time.perf_counter()
        for batch in _batches(islice(learnwares(), asked.n)):
            enter(catalogue, batch, len(everything))
            everything += [(semantic, _text(semantic)) for semantic in batch]
        print(f"{asked.n:,} learnwares entered in {time.perf_counter() - started:.0f} s")
        rows = [
            measured(Listing(catalogue), name, wanted, everything, asked.runs)
            for name, wanted in queries(everything).items()
        ]
        catalogue.close()
    _print(rows)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"n": asked.n, "milliseconds": rows}, indent=2) + "\n")


def learnwares() -> Iterator[SemanticSpecification]:
    """Yield what learnwares say, without end; the same each time."""
    draw = random.Random(0)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(2, 5))) for _ in range(WORDS)]
    letters = [chr(0x4E00 + draw.randrange(20_000)) for _ in range(LETTERS)]
    shares = {many: [1 / (place + 5) for place in range(many)] for many in (WORDS, LETTERS)}
    while True:
        if draw.random() < 0.1:
            said = draw.choices(letters, shares[LETTERS], k=200)
            name, description = "".join(said[:12]), "".join(said)
            features = ["".join(said[j : j + 3]) for j in range(20, 44, 3)]
        else:
            said = draw.choices(words, shares[WORDS], k=60)
            name, description, features = " ".join(said[:4])[:50], " ".join(said), said[10:18]
        yield SemanticSpecification(
            name=name,
            description=description,
            data="Table",
            task=draw.choices(["Classification", "Regression"], [3, 2])[0],
            library=draw.choice(VOCABULARIES["Library"]),
            scenarios=draw.sample(VOCABULARIES["Scenario"], draw.randint(1, 3)),
            license=draw.choice(VOCABULARIES["License"]),
            model=draw.choice([None, *VOCABULARIES["Model"]]),
            input=Dimensions.of(features),
            output=Dimensions(2),
        )


def enter(catalogue: Catalogue, batch: list[SemanticSpecification], before: int) -> None:
    """Enter published learnwares at once, as no dock would: their archives are not there."""
    now = datetime.now(UTC)
    common = {"state": "published", "created": now}
    stored = {"archive_sha256": "0" * 64, "specification_sha256": "0" * 64, "size": 1}
    shape = {"kind": "table", "dimension": 8, "checks": [], "changed": now, "number": 1}
    numbered = list(enumerate(batch, before + 1))
    rows: dict[Any, list[dict[str, object]]] = {
        schema.learnware: [
            {"id": id, "owner": "", "name": one.name, "current_revision": id, **common}
            for id, one in numbered
        ],
        schema.revision: [
            {"id": id, "learnware": id, "semantic": one.to_json(), **stored, **shape, **common}
            for id, one in numbered
        ],
        schema.facet: [
            {"learnware": id, "key": key, "value": value}
            for id, one in numbered
            for key, values in facets_of(one).items()
            for value in values
        ],
    }
    with catalogue.database.writing() as connection:
        for table, values in rows.items():
            connection.execute(table.insert(), values)
        for id, one in numbered:
            catalogue.text.put(connection, id, one)


def queries(everything: Everything) -> dict[str, SemanticFilter]:
    """Return what is asked: of words, some that the first learnwares say."""
    spaced = next(text for _, text in everything if text.isascii()).split()
    chinese = next(semantic.name for semantic, _ in everything if not semantic.name.isascii())
    word = max(spaced[:40], key=len)
    return {
        "everything": SemanticFilter(),
        "one facet": SemanticFilter(task="Regression"),
        "three facets": SemanticFilter(task="Regression", license="MIT", scenario="Nature"),
        "two excluded": SemanticFilter(without={"license": "GPL-3.0", "scenario": "Nature"}),
        "what nobody has": SemanticFilter(task="Segmentation"),
        "a word": SemanticFilter(text=word),
        "a word, a facet": SemanticFilter(text=word, license="MIT"),
        "a misspelt word": SemanticFilter(text=f"{word[:3]}{word[4:]}"),
        "two letters": SemanticFilter(text="ba"),
        "one Chinese letter": SemanticFilter(text=chinese[0]),
        "two Chinese letters": SemanticFilter(text=chinese[:2]),
        "four Chinese letters": SemanticFilter(text=chinese[:4]),
        "four, one wrong": SemanticFilter(text=f"{chinese[:2]}\u9f98{chinese[3]}"),
    }


def measured(
    listing: Listing, name: str, wanted: SemanticFilter, everything: Everything, runs: int
) -> dict[str, object]:
    """Time one query in all its ways, and compare what is counted with a scan."""
    meant = {one.typed: one.meant for one in listing.suggestions(wanted, "published")}
    words = [meant.get(word, word) for word in folded(wanted.text).split()]
    counts, scan = _timed(lambda: scanned(everything, wanted, words), 1)
    facets, facet = _timed(lambda: listing.facets(wanted, "published"), runs)
    found, count = _timed(lambda: listing.count(wanted, "published"), runs)
    _, page = _timed(lambda: listing.records(wanted, "published", None, 50, None), runs)
    if facets != counts:
        raise AssertionError(f"{name}: counted otherwise than by a scan")
    times = {"page": page, "count": count, "facets": facet, "scan": scan}
    return {"query": name, "found": found, **times}


def scanned(
    everything: Everything, wanted: SemanticFilter, words: list[str]
) -> dict[str, Counter[str]]:
    """Count facets by looking at every learnware, for each facet beside the others."""
    said = [semantic for semantic, text in everything if all(word in text for word in words)]
    counts = {}
    for key in KEYS:
        others = replace(wanted, **cast(Any, {key: ()}))
        counts[key] = Counter(
            value for one in said if others.matches(one) for value in facets_of(one)[key]
        )
    return counts


def _text(semantic: SemanticSpecification) -> str:
    described = semantic.input.names if semantic.input else ()
    tags = (*semantic.scenarios, semantic.task, semantic.library)
    return folded("\n".join((semantic.name, semantic.description, *described, *tags)))


def _timed(work: Callable[[], T], runs: int) -> tuple[T, float]:
    """Return what came of it, and the median time in milliseconds."""
    times = []
    for _ in range(runs):
        started = time.process_time()
        answer = work()
        times.append(1000 * (time.process_time() - started))
    return answer, round(statistics.median(times), 1)


def _batches(all: Iterator[SemanticSpecification]) -> Iterator[list[SemanticSpecification]]:
    while batch := list(islice(all, BATCH)):
        yield batch


def _print(rows: list[dict[str, object]]) -> None:
    print(f"{'milliseconds':<22}" + "".join(f"{name:>10}" for name in list(rows[0])[1:]))
    for row in rows:
        name, found, *times = row.values()
        print(f"{name:<22}{found:>10,}" + "".join(f"{time:>10,.1f}" for time in times))


if __name__ == "__main__":
    main()
