"""Checks that try to catch dishonest or implausible results, in a run or in a given D."""
