"""The final model as one offline page: values in, risk out, the same numbers as the model file."""

from isthmus.report.calculator.page import Calculator, write_calculator

__all__ = ["Calculator", "write_calculator"]
