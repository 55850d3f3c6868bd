"""What a message asks for: by rules, a list of words, the words of the catalogue, and nearness in meaning."""
