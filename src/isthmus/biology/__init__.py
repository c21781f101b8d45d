"""Risk groups beside biology: protein tables, graded stains, features of slides; differences, associations, gene sets."""

from isthmus.biology.analysis import ProteinAnalysis, analyse_proteins
from isthmus.biology.proteins import ProteinTable, read_protein_table
from isthmus.biology.settings import ProteinSettings

__all__ = ["ProteinAnalysis", "ProteinSettings", "ProteinTable", "analyse_proteins", "read_protein_table"]
