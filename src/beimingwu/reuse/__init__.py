"""Deploying learnwares: estimators with fit and predict over one or several learnwares."""

from __future__ import annotations

from beimingwu.reuse.averaging import AveragingReuser
from beimingwu.reuse.deploy import deploy
from beimingwu.reuse.gating import GatedReuser
from beimingwu.reuse.job_selector import JobSelectorReuser
from beimingwu.reuse.testing import check_reuser

__all__ = ["AveragingReuser", "GatedReuser", "JobSelectorReuser", "check_reuser", "deploy"]
