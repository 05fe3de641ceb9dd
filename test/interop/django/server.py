#!/usr/bin/python3
"""A real authorization server for the interoperability tests: Django OAuth Toolkit.

    server.py serve         make what is missing in STATE_DIR, then serve on 127.0.0.1
    server.py end-sessions  revoke every token, as an administrator would

Settings, all by environment:
    PORT                     needed by serve
    STATE_DIR                needed: database and keys; kept between two runs
    CLIENT_ID, CLIENT_SECRET needed by serve
    REDIRECT_URIS            needed by serve, comma list
    PKCE_REQUIRED            1 (default) or 0
    ACCESS_TOKEN_TTL, ID_TOKEN_TTL, REFRESH_TOKEN_TTL   seconds

The users are jane and zoe, with the password "password".
"""
import os
import secrets
import sys
from pathlib import Path

USERS = {"jane": ("Jane", "Doe"), "zoe": ("Zoë", "Łukasiewicz-Ñandú 東京 🦊")}


def once(path, make):
    """Write what make returns to path, unless it is there already."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text()


def rsa_key():
    from jwcrypto import jwk

    return jwk.JWK.generate(kty="RSA", size=2048).export_to_pem(private_key=True, password=None).decode()


def configure():
    state = Path(os.environ["STATE_DIR"])
    once(state / "oidc.pem", rsa_key)
    os.environ["DJANGO_SECRET_KEY"] = once(state / "secret", lambda: secrets.token_hex(32))
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    sys.path.insert(0, str(Path(__file__).parent))
    sys.dont_write_bytecode = True
    import django

    django.setup()


def bootstrap():
    """Bring the database up to date, with the users and the one client."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model

    call_command("migrate", verbosity=0)
    for name, (first, last) in USERS.items():
        if not get_user_model().objects.filter(username=name).exists():
            get_user_model().objects.create_user(name, password="password", first_name=first, last_name=last)
    application = get_application_model()
    application.objects.update_or_create(
        client_id=os.environ["CLIENT_ID"],
        defaults={
            "name": "interop",
            "client_secret": os.environ["CLIENT_SECRET"],
            "client_type": application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": application.GRANT_AUTHORIZATION_CODE,
            "algorithm": application.RS256_ALGORITHM,
            "redirect_uris": os.environ["REDIRECT_URIS"].replace(",", " "),
        },
    )


def serve():
    from django.core.management import call_command

    bootstrap()
    call_command("runserver", "127.0.0.1:" + os.environ["PORT"], use_reloader=False, verbosity=1)


def end_sessions():
    from oauth2_provider.models import get_access_token_model, get_refresh_token_model

    for token in get_refresh_token_model().objects.filter(revoked__isnull=True):
        token.revoke()
    get_access_token_model().objects.all().delete()


if __name__ == "__main__":
    configure()
    {"serve": serve, "end-sessions": end_sessions}[sys.argv[1]]()
