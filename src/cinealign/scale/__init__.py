"""Many machines: encoding on Ray, Lance tables, distributed indexes and evaluation by blocks; see docs/scale.md."""
