"""Prior criteria: what they are, where they came from, and how to find the right ones."""
