"""MovieLens from public sources: asked for politely, checked before it is kept, resumed after a kill."""
