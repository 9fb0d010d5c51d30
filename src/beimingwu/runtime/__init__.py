"""Running somebody else's model: in its own process, behind a pipe that carries only data."""

from beimingwu.runtime.host import GuestModel, GuestReport, start
from beimingwu.runtime.isolation import open_model
from beimingwu.runtime.launch import Launch, current_interpreter

__all__ = ["GuestModel", "GuestReport", "Launch", "current_interpreter", "open_model", "start"]
