"""Export and import that fit the field: criteria sets for other judges, pairs for trainers, votes from other tools."""
