"""A learnware in one archive: model, manifest and specifications, read safely and packed."""
