"""File types: JSON Lines, comma-separated text, Parquet."""
