"""The only place where anything leaves the process."""
