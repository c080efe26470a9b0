"""The official Python client uploads with a token: whole, in parts, and to the wrong video."""

import hashlib
import json
import os
import tempfile
import unittest
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from apivideo.api.upload_tokens_api import UploadTokensApi
from apivideo.api.videos_api import VideosApi
from apivideo.api_client import ApiClient
from apivideo.exceptions import ApiException, NotFoundException, UnauthorizedException
from apivideo.model.token_creation_payload import TokenCreationPayload
from apivideo.model.video_creation_payload import VideoCreationPayload

from local_api import client_of, local_api, run_tests

# The least that the client sends as a part, and the service takes.
PART = 5 * 1024 * 1024


class Scene:
    """`backend` and `tokens` have the key, `device` has but the token, and `directory` is for files."""

    def __init__(self, url, directory):
        self.url, self.directory = url, Path(directory)
        client = client_of(url)
        client.connect()
        self.backend = VideosApi(client)
        self.token = UploadTokensApi(client).create_token(TokenCreationPayload()).token
        without_key = ApiClient()
        without_key.configuration.host = url
        without_key.configuration.chunk_size = PART
        self.device = VideosApi(without_key)

    def ledger(self):
        with urllib.request.urlopen(f"{self.url}/local-api/ledger") as answer:
            return json.load(answer)["uploads"]

    @contextmanager
    def file(self, name, content):
        path = self.directory / name
        path.write_bytes(content)
        with path.open("rb") as file:
            yield file


@contextmanager
def scene(*options):
    with local_api(*options) as url, tempfile.TemporaryDirectory() as directory:
        yield Scene(url, directory)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Uploads(unittest.TestCase):
    def upload_parts(self, scene, contents, **given):
        """The answers to the parts of a session."""
        session = scene.device.create_upload_with_upload_token_progressive_session(scene.token, **given)
        answers = []
        for number, content in enumerate(contents, 1):
            send = session.uploadLastPart if number == len(contents) else session.uploadPart
            with scene.file(f"part{number}", content) as file:
                answers.append(send(file))
        return answers

    def test_a_file_in_one_piece_is_a_video(self):
        content = os.urandom(300_000)
        with scene() as it:
            with it.file("holidays.mp4", content) as file:
                video = it.device.upload_with_upload_token(it.token, file)
            self.assertEqual(video.title, "holidays.mp4")
            (told,) = it.ledger()["videos"]
            self.assertEqual((told["videoId"], told["sha256"]), (video.video_id, sha256(content)))
            self.assertEqual(it.ledger()["with_authorization"], 0)
            self.assertEqual(it.backend.get(video.video_id).to_dict(), video.to_dict())
            status = it.backend.get_status(video.video_id)
            self.assertEqual((status.ingest.status, status.ingest.filesize), ("uploaded", len(content)))
            self.assertTrue(status.encoding.playable)

    def test_parts_of_a_session_are_one_video(self):
        contents = [os.urandom(PART), os.urandom(PART + 1), b"the rest"]
        with scene() as it:
            *_, video = self.upload_parts(it, contents)
            self.assertEqual(video.title, "part1")
            (told,) = it.ledger()["videos"]
            self.assertEqual(told["sha256"], sha256(b"".join(contents)))
            self.assertEqual(it.ledger()["bytes_in_vain"], 0)

    def test_parts_are_uploaded_to_a_video_that_the_backend_made(self):
        contents = [os.urandom(PART), b"the rest"]
        with scene() as it:
            made = it.backend.create(VideoCreationPayload(title="a title", public=False))
            self.assertIsNone(it.backend.get_status(made.video_id).get("ingest"))
            *_, video = self.upload_parts(it, contents, video_id=made.video_id)
            self.assertEqual((video.video_id, video.title, video.public), (made.video_id, "a title", False))
            (told,) = it.ledger()["videos"]
            self.assertEqual(told["sha256"], sha256(b"".join(contents)))
            parts = it.backend.get_status(made.video_id).ingest.received_parts
            self.assertEqual((parts.parts, parts.total), ([1, 2], 2))
            # Once only.
            with self.assertRaises(ApiException) as caught:
                self.upload_parts(it, [b"again"], video_id=made.video_id)
            self.assertEqual(caught.exception.status, 400)
            self.assertIn("video-source-already-uploaded", caught.exception.body)

    def test_a_large_file_is_a_video_for_each_part_by_a_fault_of_the_client(self):
        with scene() as it:
            with it.file("large.mp4", os.urandom(2 * PART + 1)) as file:
                it.device.upload_with_upload_token(it.token, file)
            self.assertEqual(len(it.ledger()["unfinished"]), 3)

    def test_a_token_that_is_not_good_is_a_401(self):
        with scene() as it, it.file("a", b"content") as file:
            with self.assertRaises(UnauthorizedException) as caught:
                it.device.upload_with_upload_token("toUnknown", file)
            self.assertIn("The upload token is invalid or expired.", caught.exception.body)
            self.assertEqual(it.ledger()["videos"], [])

    def test_an_unknown_video_is_a_404(self):
        with scene() as it:
            for call in (
                lambda: self.upload_parts(it, [b"content"], video_id="viUnknown"),
                lambda: it.backend.get("viUnknown"),
                lambda: it.backend.get_status("viUnknown"),
            ):
                with self.assertRaises(NotFoundException) as caught:
                    call()
                self.assertIn("videoId", caught.exception.body)

    def test_a_bearer_beside_the_token_does_no_harm(self):
        with scene() as it:
            with it.file("a", b"content") as file:
                it.backend.upload_with_upload_token(it.token, file)
            self.assertEqual(it.ledger()["with_authorization"], 1)


if __name__ == "__main__":
    run_tests("python-uploads")
