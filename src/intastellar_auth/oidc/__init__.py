"""OpenID Connect, one file per step: ``build_*`` makes a request, ``read_*`` its answer."""
