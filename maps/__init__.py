"""What a person sees: the map page, offline map files and their assets (地图)."""
