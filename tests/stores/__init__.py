"""The stores: one contract for all, and what each promises by itself."""
