"""The study: plan, run, result, model file."""

from isthmus.study.model import Model
from isthmus.study.plan import Plan
from isthmus.study.result import Result

__all__ = ["Model", "Plan", "Result"]
