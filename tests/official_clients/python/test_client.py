"""The official Python client through everything that there is for upload tokens, with a bearer."""

import time
import unittest
from contextlib import contextmanager

from apivideo.api.upload_tokens_api import UploadTokensApi
from apivideo.exceptions import ApiException, NotFoundException, UnauthorizedException
from apivideo.model.token_creation_payload import TokenCreationPayload

from local_api import client_of, local_api, run_tests


@contextmanager
def connected(*options):
    """The token calls of a connected client of such a stand-in."""
    with local_api(*options) as url:
        client = client_of(url)
        client.connect()
        yield UploadTokensApi(client)


def until(holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not become so"
        time.sleep(0.02)


def values(page):
    return [token.token for token in page.data]


class Client(unittest.TestCase):
    def assert_refused(self, status, title, call, *arguments, **options):
        with self.assertRaises(ApiException) as caught:
            call(*arguments, **options)
        self.assertEqual(caught.exception.status, status)
        body = caught.exception.body
        # Connecting, the client leaves the text in bytes.
        self.assertIn(title, body if isinstance(body, str) else body.decode())
        return caught.exception

    def test_a_token_without_a_ttl_lasts(self):
        with connected() as tokens:
            token = tokens.create_token(TokenCreationPayload())
            self.assertRegex(token.token, r"\Ato[A-Za-z0-9]{22}\Z")
            self.assertEqual(token.ttl, 0)
            self.assertFalse(hasattr(token, "expires_at"))

    def test_a_token_with_a_ttl_ends_that_much_later(self):
        with connected() as tokens:
            token = tokens.create_token(TokenCreationPayload(ttl=3600))
            self.assertEqual(token.ttl, 3600)
            self.assertEqual((token.expires_at - token.created_at).total_seconds(), 3600)

    def test_a_token_is_found_as_it_was_created(self):
        with connected() as tokens:
            token = tokens.create_token(TokenCreationPayload(ttl=60))
            self.assertEqual(tokens.get_token(token.token).to_dict(), token.to_dict())

    def test_pages_together_are_the_list(self):
        with connected("--seed", "7") as tokens:
            pages = [tokens.list(current_page=number, page_size=3) for number in (1, 2, 3, 4)]
            self.assertEqual([len(page.data) for page in pages], [3, 3, 1, 0])
            self.assertEqual(sum(map(values, pages), []), values(tokens.list()))
            pagination = pages[1].pagination
            self.assertEqual((pagination.pages_total, pagination.items_total), (3, 7))
            relations = [link.rel for link in pagination.links]
            self.assertEqual(relations, ["self", "first", "previous", "next", "last"])

    def test_lists_are_in_the_order_that_is_asked_for(self):
        with connected() as tokens:
            month, never, hour = created = [
                tokens.create_token(TokenCreationPayload(ttl=ttl)).token for ttl in (2592000, 0, 3600)]
            for sort_by, ascending in {"createdAt": created, "ttl": [hour, month, never]}.items():
                for sort_order, expected in {"asc": ascending, "desc": ascending[::-1]}.items():
                    page = tokens.list(sort_by=sort_by, sort_order=sort_order)
                    self.assertEqual(values(page), expected, (sort_by, sort_order))

    def test_a_deleted_token_is_gone(self):
        with connected("--seed", "1") as tokens:
            (token,) = values(tokens.list())
            self.assertIsNone(tokens.delete_token(token))
            self.assertEqual(values(tokens.list()), [])
            for call in (tokens.get_token, tokens.delete_token):
                error = self.assert_refused(404, "The requested resource was not found.", call, token)
                self.assertIsInstance(error, NotFoundException)

    def test_a_token_of_any_characters_is_just_not_found(self):
        with connected() as tokens:
            for token in ("unknown", "a/b c?d#é%", "a:b@c!$&'()*+,;=~-._"):
                self.assert_refused(404, "uploadToken", tokens.get_token, token)

    def test_what_is_asked_for_wrongly_is_a_400_that_tells_what(self):
        title = "This parameter is out of the allowed range of values."
        with connected() as tokens:
            for wrong in ({"current_page": 0}, {"page_size": 101}, {"page_size": 10**30}):
                error = self.assert_refused(400, title, tokens.list, **wrong)
                self.assertNotIsInstance(error, UnauthorizedException)

    def test_another_key_does_not_connect(self):
        with local_api() as url:
            stranger = client_of(url, "another")
            self.assert_refused(400, "The user credentials were incorrect.", stranger.connect)

    def test_a_bearer_that_has_ended_is_refused_and_refreshed(self):
        with connected("--access-token-lifetime", "1") as tokens:
            def ended():
                try:
                    tokens.list()
                except UnauthorizedException as error:
                    return "The access token is invalid or expired." in error.body
            until(ended)
            tokens.api_client.refresh_token()
            self.assertEqual(values(tokens.list()), [])

    def test_in_a_with_block_the_bearer_is_refreshed_before_it_ends(self):
        # The client refreshes ten seconds before the end.
        with local_api("--access-token-lifetime", "11") as url, client_of(url) as client:
            first = client._access_token
            until(lambda: client._access_token != first)
            self.assertEqual(values(UploadTokensApi(client).list()), [])

    def test_over_the_limit_is_a_429(self):
        with connected("--rate-limit", "2") as tokens:
            for remaining in ("1", "0"):
                _, status, headers = tokens.list(_return_http_data_only=False)
                self.assertEqual((status, headers["X-RateLimit-Remaining"]), (200, remaining))
            error = self.assert_refused(429, "Too many requests.", tokens.list)
            self.assertIn(int(error.headers["X-RateLimit-Retry-After"]), range(1, 61))
            self.assertEqual(tokens.create_token(TokenCreationPayload()).ttl, 0)

    def test_the_name_of_an_application_is_taken(self):
        with connected() as tokens:
            tokens.api_client.set_application_name("tests", "1.2.3")
            self.assertEqual(values(tokens.list()), [])


if __name__ == "__main__":
    run_tests("python")
