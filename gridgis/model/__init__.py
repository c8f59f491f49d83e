"""Frozen values of the domain; no IO (领域模型)."""
