"""What readers say of a lesion in words: a form of structured fields, two readers apart from each other, their consensus and agreement."""

from isthmus.reading.form import FORMS, Form, read_form
from isthmus.reading.record import Answers, ReadingRecord

__all__ = ["FORMS", "Answers", "Form", "ReadingRecord", "read_form"]
