"""Files to typed rows plus rejects with reasons; no database (文件读取与校验)."""
