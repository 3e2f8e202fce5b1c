"""The development provider refuses whatever the strictest provider would."""
