"""What is asked of an OpenID client, row by row, and the tests that hold us to it."""
