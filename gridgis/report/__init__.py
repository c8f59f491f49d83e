"""The monthly report: figures, sentences, tables and its printed forms (月报)."""
