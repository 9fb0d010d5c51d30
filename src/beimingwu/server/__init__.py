"""The dock over HTTP: a FastAPI application of the dock's verbs and of its accounts."""
