"""Running somebody else's model: in its own process, behind a pipe that carries only data."""
