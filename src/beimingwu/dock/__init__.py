"""The dock in a folder: submit, verify, accommodate, identify, on a catalogue and blobs."""
