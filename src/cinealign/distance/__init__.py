"""Turns vectors into the distance matrix D; hub corrections; reads D from files."""
