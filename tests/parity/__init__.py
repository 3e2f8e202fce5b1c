"""One list of scenarios, played to both shells: what differs is forced by the protocols."""
