"""The HTTP service: routes without logic over `gridgis.services` (接口服务)."""
