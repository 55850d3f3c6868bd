"""Opening tables wherever they are: delimited text, Parquet, JSON Lines, databases."""
