"""Areas and unit grids: geometry and codes, no database (区域与单元网格)."""

from boundaries.cells import make_cells

__all__ = ["make_cells"]
