"""The dock in a folder: submit, verify, accommodate, identify, on a catalogue and blobs."""

from __future__ import annotations

from beimingwu.dock.dock import Dock
from beimingwu.dock.submission import Submission
from beimingwu.learnware.record import Event, LearnwareRecord, Step

__all__ = ["Dock", "Event", "LearnwareRecord", "Step", "Submission"]
