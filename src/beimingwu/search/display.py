"""How a search result shows itself: a small table on a terminal, an HTML table in a notebook."""

from __future__ import annotations

from html import escape

from beimingwu.search.result import Match, SearchResult

#: Matches that a display lists.
LISTED = 10


def result_text(result: SearchResult) -> str:
    """Return the result as lines of text: what was searched, matches, mixture, notes.

    Examples
    --------
    >>> from beimingwu.search.requirement import Requirement
    >>> print(result_text(SearchResult.of_ids(["00000007"], Requirement())))
    SearchResult: 1 learnware
      id          score    mmd  coverage  weight
      00000007        -      -         -
    """
    count = len(result.single)
    lines = [f"SearchResult: {count} learnware{'' if count == 1 else 's'}"]
    if result.island is not None:
        lines[0] += f" from {result.island}"
    weights = _weights(result)
    listed = _listed(result)
    if listed:
        wide = max(10, *(len(match.id) for match in listed))
        lines.append(f"  {'id':<{wide}}  {'score':>5}  {'mmd':>5}  {'coverage':>8}  {'weight':>6}")
    for match in listed:
        cells = _cells(match, weights.get(match.id))
        line = f"  {match.id:<{wide}}  {cells[0]:>5}  {cells[1]:>5}  {cells[2]:>8}  {cells[3]:>6}"
        lines.append(line.rstrip())
    lines += [f"  {line}" for line in _closing_lines(result)]
    return "\n".join(lines)


def result_html(result: SearchResult) -> str:
    """Return the result as an HTML table, with explanations and notes.

    Examples
    --------
    >>> from beimingwu.search.requirement import Requirement
    >>> "&lt;b&gt;" in result_html(SearchResult.of_ids(["<b>"], Requirement()))
    True
    """
    weights = _weights(result)
    rows = []
    for match in _listed(result):
        why = str(match.explanation or "")
        cells = [match.id, *_cells(match, weights.get(match.id)), why]
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    caption = str(result.island or f"{len(result.single)} learnwares")
    heads = ("learnware", "score", "mmd", "coverage", "weight in the mixture", "why")
    head = "".join(f"<th>{name}</th>" for name in heads)
    closing = "".join(f"<p>{escape(line)}</p>" for line in _closing_lines(result))
    return (
        f"<div><table><caption>{escape(caption)}</caption>"
        f"<tr>{head}</tr>{''.join(rows)}</table>{closing}</div>"
    )


def _listed(result: SearchResult) -> list[Match]:
    """Return the first singles, then members of the mixture that are not among them."""
    listed = list(result.single[:LISTED])
    shown = {match.id for match in listed}
    if result.mixture is not None:
        listed += [match for match in result.mixture if match.id not in shown]
    return listed


def _weights(result: SearchResult) -> dict[str, float]:
    if result.mixture is None:
        return {}
    pairs = zip(result.mixture.members, result.mixture.weights, strict=True)
    return {match.id: float(weight) for match, weight in pairs}


def _cells(match: Match, weight: float | None) -> tuple[str, str, str, str]:
    return (
        "-" if match.score is None else f"{match.score:.2f}",
        "-" if match.mmd is None else f"{match.mmd:.3f}",
        "-" if match.coverage is None else f"{match.coverage:.0%}",
        "" if weight is None else f"{weight:.2f}",
    )


def _closing_lines(result: SearchResult) -> list[str]:
    lines = []
    if result.mixture is not None:
        mixture = result.mixture
        lines.append(
            f"Mixture of {len(mixture)}: score {mixture.score:.2f}, mmd {mixture.mmd:.3f}, "
            f"{mixture.uncovered:.0%} of your data not covered."
        )
    return lines + list(result.notes)
