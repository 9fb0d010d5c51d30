"""What surrounds every request: its id, headers of protection, the access log, unforeseen ends."""
