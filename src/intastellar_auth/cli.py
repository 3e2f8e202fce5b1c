"""The command line: a check of the settings, their table, keys, and a provider to develop with."""

from __future__ import annotations

import argparse
import errno
import importlib.util
import json
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import distributions


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that ``argv`` (by default the process's arguments) names.

    Returns the exit status: 0 if it went well, 1 if not. Raises ``SystemExit`` (status 2) for
    arguments that make no sense, as ``argparse`` does.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command == "secret-key":
        _print(secrets.token_urlsafe(48))
        return 0
    if arguments.command == "settings":
        # Only when asked for: a provider needs none of the settings' machinery.
        from intastellar_auth.settings_table import markdown  # noqa: PLC0415

        _print(markdown())
        return 0
    if arguments.command == "jwks":
        return _jwks()
    if arguments.command == "check":
        return _check()
    return _serve(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="intastellar-auth")
    # From what is installed, which a source tree by itself is not.
    versions = (each.version for each in distributions(name="intastellar-auth"))
    version = f"%(prog)s {next(versions, 'that is not installed')}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("settings", help="print the table of all settings")
    commands.add_parser("secret-key", help="print a fresh key for INTASTELLAR_SECRET_KEYS")
    commands.add_parser(
        "jwks",
        help="print the public JWK Set of INTASTELLAR_CLIENT_PRIVATE_KEY, to be registered",
    )
    commands.add_parser(
        "check",
        help="print what to register, and check the settings against the provider and the store",
    )
    serve = commands.add_parser("devprovider", help="run an OpenID provider on this machine")
    serve.add_argument("--host", default="127.0.0.1", help="a loopback name or address")
    serve.add_argument("--port", default=9000, type=int, help="0 takes a free one")
    serve.add_argument("--client-id", required=True)
    serve.add_argument("--client-secret", help="leave it out for a public client")
    serve.add_argument("--redirect-uri", required=True, action="append", help="repeatable")
    serve.add_argument("--post-logout-redirect-uri", default=[], action="append", help="repeatable")
    serve.add_argument("--backchannel-logout-uri")
    serve.add_argument(
        "--access-token-lifetime", default=600, type=int, metavar="SECONDS", help="600"
    )
    serve.add_argument(
        "--scope",
        default=[],
        action="append",
        help="one more scope to grant, beside those of OpenID Connect; repeatable",
    )
    serve.add_argument(
        "--user",
        default=[],
        action="append",
        metavar="JSON",
        help='one more test user, such as {"sub": "dora", "department": "sales"}; repeatable',
    )
    return parser


def _check() -> int:
    """Reads the settings as the app does, and reports as it finds."""
    from intastellar_auth.checkup import findings, to_register  # noqa: PLC0415
    from intastellar_auth.errors import SettingsError  # noqa: PLC0415
    from intastellar_auth.settings import Settings  # noqa: PLC0415

    try:
        settings = Settings()
    except SettingsError as problem:
        return _fail(problem.detail)
    _print("To register at the provider, character for character:")
    for name, uri in to_register(settings):
        _print(f"  {name:<26}{uri}")
    status = 0
    for finding in findings(settings):
        _print(finding.line)
        status = status if finding.problem is None else 1
    return status


def _jwks() -> int:
    """Needs that one setting alone: the others may come with the registration."""
    from intastellar_auth import setting_sources as source  # noqa: PLC0415
    from intastellar_auth.errors import SettingsError  # noqa: PLC0415
    from intastellar_auth.oidc.private_key import load_private_keys  # noqa: PLC0415

    name = "client_private_key"
    variable = source.variable(name)
    try:
        given, _ = source.surroundings(".env")
        ours = {key: value for key, value in given.items() if key in (name, f"{name}_file")}
        read, problems = source.secret_files(ours)
        if problems:
            return _fail(": ".join(problems[0]))
        text = read.get(name) or ours.get(name)
        if not text:
            return _fail(
                f"{variable} is not set, and not in .env; make a key with"
                " openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
            )
        keys = load_private_keys(text)
    except SettingsError as problem:
        return _fail(problem.detail)
    except ValueError as problem:
        return _fail(f"{variable}: {problem}")
    _print(json.dumps({"keys": [key.public_jwk() for key in keys]}, indent=2))
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    if importlib.util.find_spec("uvicorn") is None:
        return _fail(
            "uvicorn is not installed. Run, beside your copy of this package:"
            " pip install './intastellar-auth[server]'"
        )
    # Here and not above, because uvicorn is optional and the other commands need none of this.
    from intastellar_auth.devprovider import (  # noqa: PLC0415
        DEFAULT_USERS,
        DevClient,
        Lifetimes,
        create_provider,
    )
    from intastellar_auth.devprovider.scopes import with_extra  # noqa: PLC0415
    from intastellar_auth.devprovider.serve import issuer_of, listen, serve  # noqa: PLC0415
    from intastellar_auth.devprovider.user_json import read_user  # noqa: PLC0415

    try:
        client = DevClient(
            arguments.client_id,
            tuple(arguments.redirect_uri),
            arguments.client_secret,
            post_logout_redirect_uris=tuple(arguments.post_logout_redirect_uri),
            backchannel_logout_uri=arguments.backchannel_logout_uri,
        )
        scopes = with_extra(arguments.scope)
        users = (*DEFAULT_USERS, *map(read_user, arguments.user))
        listener = listen(arguments.host, arguments.port)
    except (ValueError, OSError, OverflowError) as problem:
        if getattr(problem, "errno", None) != errno.EADDRINUSE:
            return _fail(str(problem))
        return _fail(
            f"--port: {arguments.port} on {arguments.host} is in use; stop what uses it, or name"
            " another with --port (0 takes a free one)"
        )
    with listener:
        issuer = issuer_of(arguments.host, listener)
        lifetimes = Lifetimes(access_token=arguments.access_token_lifetime)
        app = create_provider(issuer, [client], users, lifetimes=lifetimes, scopes=scopes)
        _print(f"issuer: {issuer}")
        for user in app.state.provider.users.values():
            _print(f"test user: {user.sub} ({user.name}, {user.email})")
        # Ctrl-C is how it is meant to end.
        with suppress(KeyboardInterrupt):
            serve(app, listener)
    return 0


def _print(line: str) -> None:
    # Flushed, so that whoever started us and waits for the issuer gets it.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fail(problem: str) -> int:
    sys.stderr.write(f"intastellar-auth: {problem}\n")
    return 1
