"""
Seeded generator of a synthetic ledger (合成案件生成).

Pure: a profile and its `demo.toml` in, files in the city's own column names out. Only the public
import commands load them, into a database marked synthetic.
"""

from gridgis.demo.files import DemoFile, DemoManifest, write_demo

__all__ = ["DemoFile", "DemoManifest", "write_demo"]
