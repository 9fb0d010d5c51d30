"""The zip that a dock serves: the learnware's files at the root, with its id and its semantics.

Its shape is that of the 2024 dock, whose clients read `id` and `semantic_specification.file_name`
in the manifest. Equal learnwares give equal bytes.
"""

from __future__ import annotations

import uuid
import zipfile
from dataclasses import replace
from pathlib import Path

from beimingwu.learnware.archive import open_archive
from beimingwu.learnware.manifest import MANIFEST_NAME
from beimingwu.specification.semantic import SemanticSpecification

SEMANTIC_NAME = "semantic_specification.json"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def write_served(
    archive: Path, workspace: Path, id: str, semantic: SemanticSpecification, target: Path
) -> None:
    """Write the served form of an archive; `target` appears whole or not at all.

    Parameters
    ----------
    archive
        The archive as it was submitted.
    workspace
        A folder to unpack it in.
    id, semantic
        The learnware's id and the semantic specification in force.
    """
    content = workspace / "content"
    with open_archive(archive) as opened:
        opened.extract(content)
        manifest = replace(opened.manifest, id=id, semantic_file=SEMANTIC_NAME)
    (content / MANIFEST_NAME).write_bytes(manifest.dump())
    (content / SEMANTIC_NAME).write_text(semantic.dumps(), encoding="utf-8")
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        _zip(content, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _zip(folder: Path, target: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as served:
        for path in files:
            member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _LONG_AGO)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            member.file_size = path.stat().st_size
            with path.open("rb") as source, served.open(member, "w") as out:
                while chunk := source.read(1024 * 1024):
                    out.write(chunk)
