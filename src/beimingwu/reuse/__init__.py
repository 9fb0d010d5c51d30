"""Deploying learnwares: estimators with fit and predict over one or several learnwares."""
