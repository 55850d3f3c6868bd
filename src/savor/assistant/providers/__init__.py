"""Where words come from: language models behind one protocol."""
