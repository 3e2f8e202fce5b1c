"""The flows and what they are made of. No I/O below this line: a test reads the imports."""
