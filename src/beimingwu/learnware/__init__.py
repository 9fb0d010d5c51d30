"""A learnware in one archive: model, manifest and specifications, read safely and packed."""

from beimingwu.learnware.archive import Archive, Requirements, open_archive
from beimingwu.learnware.manifest import Manifest, StatisticalEntry
from beimingwu.learnware.model import Learnware, Model
from beimingwu.learnware.packing import pack

__all__ = [
    "Archive",
    "Learnware",
    "Manifest",
    "Model",
    "Requirements",
    "StatisticalEntry",
    "open_archive",
    "pack",
]
