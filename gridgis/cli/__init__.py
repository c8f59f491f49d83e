"""The command `gridgis`: one file per noun (命令行)."""
