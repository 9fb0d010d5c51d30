"""Identifying learnwares: semantic filters, statistical search, mixtures, scores."""
