"""What the tests share: real servers, a provider to sign in with, a browser driven by hand."""
