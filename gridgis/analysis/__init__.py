"""Arrays and frames in, new ones out; nothing is opened here (分析)."""
