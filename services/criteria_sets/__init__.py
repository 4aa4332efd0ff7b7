"""Criteria sets as a team keeps them: lines of versions with evidence, decisions that stay on record, differences."""
