"""What a chosen item is held against."""
