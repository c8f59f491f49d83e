"""gridgis: cases on unit grids, from import to map (城市网格化管理地理信息服务)."""
