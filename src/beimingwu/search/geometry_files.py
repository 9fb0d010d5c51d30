"""A geometry as a file, named by what is in it."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import astuple, fields
from pathlib import Path

import numpy as np

from beimingwu.search.geometry import Geometry
from beimingwu.search.projection import Projection
from beimingwu.search.score import Strangers
from beimingwu.search.segment import damaged
from beimingwu.search.segment_files import write_synced
from beimingwu.specification.rkme import GaussianKernel
from beimingwu.specification.ruler import Ruler

#: What holds the ruler of a kernel that has one.
RULER = tuple(field.name for field in fields(Ruler))


def write_geometry(folder: Path, geometry: Geometry) -> str:
    """Write a geometry, unless it is there, and return the name of its file."""
    told = {
        "rates": geometry.kernel.rates,
        "members": geometry.members,
        "foundation": geometry.foundation,
        "strangers": [geometry.strangers.half, geometry.strangers.apart],
        "floor": geometry.floor,
        "sparse_density": geometry.sparse_density,
        "residual": geometry.residual,
        "version": geometry.version,
    }
    buffer, ruler = io.BytesIO(), geometry.kernel.ruler
    read = {} if ruler is None else dict(zip(RULER, astuple(ruler), strict=True))
    np.savez(
        buffer,
        told=np.frombuffer(json.dumps(told).encode(), np.uint8),
        scale=np.asarray(geometry.kernel.scale),
        landmarks=geometry.projection.landmarks,
        basis=geometry.projection.basis,
        **read,
    )
    content = buffer.getvalue()
    name = f"geometry-{geometry.version}-{zlib.crc32(content):08x}"
    if not (folder / name).exists():
        write_synced(folder / f"{name}.new", content)
        (folder / f"{name}.new").replace(folder / name)
    return name


def read_geometry(folder: Path, name: str) -> Geometry:
    """Read a geometry.

    Raises
    ------
    DockDamaged
        The file is not what was written.
    """
    content = (folder / name).read_bytes()
    if not name.endswith(f"{zlib.crc32(content):08x}"):
        raise damaged(name)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            told = json.loads(arrays["told"].tobytes())
            ruler = Ruler(*(arrays[name] for name in RULER)) if RULER[0] in arrays else None
            kernel = GaussianKernel(tuple(told.pop("rates")), arrays["scale"], ruler)
            strangers = Strangers(*told.pop("strangers"))
            projection = Projection(arrays["landmarks"], arrays["basis"], kernel)
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise damaged(name) from error
    return Geometry(kernel=kernel, strangers=strangers, projection=projection, **told)
