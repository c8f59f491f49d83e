"""Use cases: each owns its transaction (用例)."""
