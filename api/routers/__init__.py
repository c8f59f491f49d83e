"""Routes, one file per family of paths (路由)."""
