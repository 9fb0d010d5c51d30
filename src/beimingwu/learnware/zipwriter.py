"""Writing an archive: the same files give the same bytes, and a half-written file is never seen."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from beimingwu.learnware.archive import open_archive
from beimingwu.learnware.manifest import MANIFEST_NAME

#: The earliest time a zip file can hold. Real times would give each packing another digest.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644


def write_archive(files: Mapping[str, bytes | Path], path: str | Path) -> Path:
    """Write files into a flat zip at `path`, checked as any archive is before it appears there.

    Parameters
    ----------
    files
        Content, or the path of a file, by name in the archive.
    path
        Replaced if it exists; its folder is made if it does not.

    Raises
    ------
    InvalidArchive
        The result is not an archive that a dock accepts; nothing is left at `path`.

    Examples
    --------
    >>> write_archive({"a.txt": b"no manifest"}, "a.zip")
    Traceback (most recent call last):
    beimingwu.errors.InvalidArchive: The archive holds no learnware.yaml at its root or in its one \
top folder.
    Pack the content of the learnware's folder: `beimingwu pack`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w+b") as out:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                for name in sorted(files, key=lambda name: (name != MANIFEST_NAME, name)):
                    _write_one(archive, name, files[name])
            out.flush()
            os.fsync(out.fileno())
            open_archive(out).close()
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _write_one(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> None:
    entry = zipfile.ZipInfo(name, date_time=_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = _MODE << 16
    if isinstance(content, bytes):
        archive.writestr(entry, content)
        return
    entry.file_size = content.stat().st_size
    with content.open("rb") as source, archive.open(entry, "w") as target:
        shutil.copyfileobj(source, target)
