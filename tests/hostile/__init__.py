"""A hostile provider, a hostile browser, and a site between them that must stay safe."""
