"""conda's environment.yaml: its Python, its pip section, and its packages under PyPI's names.

conda also installs what is no Python package (compilers, libraries, its own tools); those are left
out, since the wheels of PyPI bring theirs. Builds (`=py38h…`) name one system and are left out too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from beimingwu.errors import InvalidArchive
from beimingwu.learnware.plainyaml import load_yaml
from beimingwu.runtime.requirements import Wanted, read_line, refuse

FILE = "environment.yaml"

#: Packages that conda and PyPI call differently.
PYPI_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "dask-core": "dask",
        "faiss": "faiss-cpu",
        "faiss-gpu": "faiss-cpu",
        "lightgbm-gpu": "lightgbm",
        "matplotlib-base": "matplotlib",
        "msgpack-python": "msgpack",
        "numpy-base": "numpy",
        "opencv": "opencv-python-headless",
        "py-lightgbm": "lightgbm",
        "py-opencv": "opencv-python-headless",
        "py-xgboost": "xgboost",
        "py-xgboost-cpu": "xgboost",
        "py-xgboost-gpu": "xgboost",
        "py-xgboost-mutex": "",
        "python-flatbuffers": "flatbuffers",
        "python-graphviz": "graphviz",
        "python-tzdata": "tzdata",
        "pytables": "tables",
        "pytorch": "torch",
        "pytorch-cpu": "torch",
        "pytorch-gpu": "torch",
        "ruamel-yaml": "ruamel.yaml",
        "snappy": "",
        "tensorflow-base": "tensorflow",
        "tensorflow-cpu": "tensorflow",
        "tensorflow-gpu": "tensorflow",
        "tensorflow-mkl": "tensorflow",
        "torchaudio-cpu": "torchaudio",
        "torchvision-cpu": "torchvision",
    }
)
#: What is no Python package, or has a namesake on PyPI that is something else.
_NATIVE_NAMES = """
    blas brotli bzip2 c-ares ca-certificates cairo conda cudatoolkit cudnn curl dbus expat
    ffmpeg fontconfig freetype fribidi gcc gettext gfortran giflib git glib glog gmp gnutls
    graphite2 graphviz gst-plugins-base gstreamer gxx harfbuzz hdf5 icu intel-openmp jpeg
    keyutils krb5 lame lcms2 ld-impl-linux-64 lerc llvm-openmp lz4-c make mamba menuinst mkl
    mkl-fft mkl-random mkl-service mpc mpfr nccl ncurses nettle nodejs nspr nss openblas
    openh264 openjpeg openssl orc pandoc pcre pcre2 pip pixman python-abi pytorch-cuda
    pytorch-mutex qt qt-main qt-webengine re2 readline sleef snappy sqlite tbb tk tzdata ucrt vc
    vs2015-runtime wincertstore x264 xz yaml zeromq zlib zstd
"""
_NATIVE = frozenset(_NATIVE_NAMES.split())
_NATIVE_SHAPE = re.compile(
    r"^(_|lib(?!rosa|cst|sass|tmux|emg|rt)|cuda-|m2w64-|msys2-|r-|vc\d|xorg-)|-ng$|[-_](linux|win|osx)-(64|32)$"
)
_ENTRY = re.compile(
    r"""(?:[^\s:]+::)?             # a channel
        (?P<name>[A-Za-z0-9_][A-Za-z0-9._-]*)
        \s*(?P<rest>.*)""",
    re.VERBOSE,
)
_COMPARISON = re.compile(r"^(===?|>=|<=|!=|~=|>|<)")


def read_environment(text: str) -> tuple[str, list[Wanted], list[str]]:
    r"""Read an environment.yaml.

    Returns
    -------
    python
        The specifier of Python that it pins, to its minor version; empty where it does not.
    wanted
        The packages.
    notes
        What was left out, a sentence each.

    Raises
    ------
    InvalidArchive
        Not an environment of conda's, or a line of its pip section is refused.

    Examples
    --------
    >>> text = "dependencies: [python=3.8.18=h955ad1f_0, pytorch=1.13.1, {pip: [scipy]}]"
    >>> python, wanted, notes = read_environment(text)
    >>> python, [package.requirement for package in wanted]
    ('==3.8.*', ['torch==1.13.1.*', 'scipy'])
    """
    python, notes = "", list[str]()
    wanted: list[Wanted] = []
    native: list[str] = []
    for entry in _entries(text):
        if isinstance(entry, str):
            name, specifier = _split(entry, notes)
            if name == "python":
                try:
                    python = _python(specifier)
                except InvalidSpecifier:
                    refuse(entry, FILE, "is not a version of Python", "syntax")
            elif is_native(name):
                native.append(name)
            else:
                wanted += _wanted(name, specifier, entry, notes)
        else:
            wanted += _pip_section(entry, notes)
    if native:
        notes.append(
            f"{FILE}: {', '.join(native)} left out: no Python packages; wheels bring them."
        )
    return python, wanted, notes


def is_native(name: str) -> bool:
    """Whether conda's package of this name has no counterpart among Python packages.

    Examples
    --------
    >>> is_native("libgcc-ng"), is_native("_libgcc_mutex"), is_native("librosa")
    (True, True, False)
    """
    canonical = canonicalize_name(name)
    mapped = PYPI_NAMES.get(canonical)
    return mapped == "" or (
        mapped is None and (canonical in _NATIVE or _NATIVE_SHAPE.search(name.lower()) is not None)
    )


def _entries(text: str) -> list[str | list[str]]:
    """Return the dependencies: texts for conda, a list of texts for pip."""
    try:
        document = load_yaml(text.encode())
    except InvalidArchive as error:
        raise type(error)(
            error.problem.replace("learnware.yaml", FILE),
            remedy=f"Correct {FILE} in the archive.",
            code=error.code.replace("manifest.", "requirements."),
        ) from None
    dependencies = document.get("dependencies") if isinstance(document, dict) else None
    if dependencies is None and isinstance(document, dict) and "dependencies" in document:
        return []
    if not isinstance(dependencies, list):
        _malformed("has no list of `dependencies`")
    entries: list[str | list[str]] = []
    for entry in dependencies:
        if isinstance(entry, str):
            entries.append(entry.strip())
        elif isinstance(entry, dict) and set(entry) == {"pip"} and _are_texts(entry["pip"]):
            entries.append(entry["pip"] or [])
        else:
            _malformed(f"has {entry!r:.100} among its dependencies")
    return entries


def _are_texts(value: object) -> bool:
    return value is None or (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    )


def _malformed(what: str) -> NoReturn:
    raise InvalidArchive(
        f"{FILE} {what}.",
        remedy="Write it as `conda env export --no-builds` does.",
        code="requirements.conda",
    )


def _pip_section(lines: list[str], notes: list[str]) -> list[Wanted]:
    return [
        package
        for line in lines
        if line.strip()
        for package in read_line(line.strip(), FILE, notes)
    ]


def _split(entry: str, notes: list[str]) -> tuple[str, str]:
    """Return the name and the specifier of one of conda's texts, its build left out."""
    if "/" in entry or "\\" in entry:
        refuse(entry, FILE, "takes a package from an address or a file", "url")
    match = _ENTRY.fullmatch(entry)
    if match is None:
        refuse(entry, FILE, "is not a package of conda's", "syntax")
    name, rest = match["name"], match["rest"].partition("[")[0].strip()
    specifier = _specifier(rest)
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier:
        if not is_native(name):
            notes.append(f"{FILE}: `{entry}` has a version that PyPI cannot have; any is taken.")
        specifier = ""
    return name, specifier


def _specifier(rest: str) -> str:
    """Return conda's versions as PEP 440 has them; `|`, which it has not, as nothing.

    Examples
    --------
    >>> _specifier("=1.24"), _specifier("=1.24.3=py38h14f4228_0"), _specifier("1.24.* py38_0")
    ('==1.24.*', '==1.24.3', '==1.24.*')
    >>> _specifier(">=1.20, <2"), _specifier("=1.24|=1.26"), _specifier("")
    ('>=1.20,<2', '', '')
    """
    if not rest or "|" in rest or rest == "*":
        return ""
    if "," in rest or _COMPARISON.match(rest):
        parts = (part.strip() for part in re.sub(r"([<>=!~])\s+", r"\1", rest).split(","))
        # `>=1.2 py38_0`: what follows a blank is a build.
        return ",".join(_one(part.split()[0]) for part in parts if part)
    version, _, build = rest.removeprefix("=").strip().replace(" ", "=").partition("=")
    if build or "*" in version:
        return f"=={_star(version)}"
    return f"=={version}.*"


def _one(part: str) -> str:
    operator = _COMPARISON.match(part)
    if operator is None:
        return f"=={_star(part.removeprefix('='))}"
    version = part[operator.end() :].partition("=")[0]
    return operator[0] + (_star(version) if operator[0] in ("==", "!=") else version.rstrip(".*"))


def _star(version: str) -> str:
    """Write `1.24*` as `1.24.*`."""
    return re.sub(r"\.?\*$", ".*", version)


def _python(specifier: str) -> str:
    """Return the specifier of Python, exact pins widened to their minor version."""
    pins = []
    for pin in SpecifierSet(specifier):
        if pin.operator in ("==", "===", "~="):
            try:
                release = Version(pin.version.removesuffix(".*")).release
            except InvalidVersion:
                raise InvalidSpecifier(str(pin)) from None
            pins.append(f"=={'.'.join(map(str, release[:2]))}.*")
        else:
            pins.append(str(pin))
    return ",".join(sorted(pins))


def _wanted(name: str, specifier: str, entry: str, notes: list[str]) -> list[Wanted]:
    pypi = PYPI_NAMES.get(canonicalize_name(name), name)
    packages = read_line(f"{pypi}{specifier}", FILE, notes)
    return [Wanted(package.requirement, entry, "conda") for package in packages]
