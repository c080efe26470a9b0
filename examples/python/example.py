"""Makes an upload token that is valid for an hour, lists all tokens, and revokes the new one."""

import os
import sys
from datetime import timedelta

from apivideo import ApiVideoError, Client

try:
    with Client(
        api_key=os.environ["APIVIDEO_API_KEY"],
        base_url=os.environ.get("APIVIDEO_BASE_URL"),  # None is production
    ) as client:
        token = client.create(ttl=timedelta(hours=1))
        print(f"{token.id} is valid until {token.expires_at}")
        for each in client.tokens():
            print(f"{each.id}  made {each.created_at}")
        client.delete(token.id)
except ApiVideoError as error:
    sys.exit(f"{type(error).__name__}: {error}")
