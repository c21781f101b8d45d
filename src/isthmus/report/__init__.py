"""The report: one self-contained page, figures and tables, drawn from a stored result only."""

from isthmus.report.html import write_report

__all__ = ["write_report"]
