"""nginx over TLS 1.3 with a certificate of an authority made for it, which the clients are to find
among all those that this system trusts."""

import contextlib
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import measure

# Where Debian and most others have them.
SYSTEM_BUNDLE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")

TOKEN = ('{"token":"to1tcmSFHeYY5KzyhO000000","ttl":3600,"createdAt":"2020-12-02T10:13:19+00:00",'
         '"expiresAt":"2020-12-02T11:13:19+00:00"}')
# No session is taken up again: each connection is a whole handshake.
CONFIGURATION = """
daemon off; worker_processes 1; pid {here}/pid; error_log {here}/errors;
events {{ worker_connections 512; }}
http {{
  access_log off; default_type application/json;
  keepalive_requests 1000000; keepalive_timeout 600;
  client_body_temp_path {here}/t1; proxy_temp_path {here}/t2; fastcgi_temp_path {here}/t3;
  uwsgi_temp_path {here}/t4; scgi_temp_path {here}/t5;
  ssl_protocols TLSv1.3; ssl_session_cache off; ssl_session_tickets off;
  ssl_certificate {here}/server.pem; ssl_certificate_key {here}/server.key;
  server {{ listen 127.0.0.1:{port} ssl; location / {{ return 200 '{token}'; }}
    {uploads} }}
}}
"""

# What is uploaded goes on to `sink` as it comes.
UPLOADS = """location /upload {{ proxy_pass {sink}; proxy_http_version 1.1; proxy_request_buffering off;
      client_max_body_size 0; client_body_buffer_size 1m; }}"""


def certificates(here):
    """An authority, the server's certificate, and a bundle of the authority with the system's."""
    def openssl(*words):
        measure.run("openssl", *words)
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new_key, "-days", "30", "-subj", "/CN=benches",
            "-keyout", here / "authority.key", "-out", here / "authority.pem")
    openssl("req", *new_key, "-subj", "/CN=localhost",
            "-keyout", here / "server.key", "-out", here / "server.csr")
    (here / "extensions").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", here / "server.csr", "-CA", here / "authority.pem",
            "-CAkey", here / "authority.key", "-CAcreateserial", "-days", "30",
            "-extfile", here / "extensions", "-out", here / "server.pem")
    if not SYSTEM_BUNDLE.exists():
        raise measure.Unmeasured(f"{SYSTEM_BUNDLE} is not there")
    (here / "bundle.pem").write_text(SYSTEM_BUNDLE.read_text() + (here / "authority.pem").read_text())


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(100):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise measure.Unmeasured("nginx does not begin")


class TlsServer:
    def __init__(self, here, port):
        self.url = f"https://127.0.0.1:{port}"
        # The system's authorities and the server's, in one file: what is read where nothing is named.
        self.bundle = {"SSL_CERT_FILE": here / "bundle.pem"}
        # The one that is needed: what is left is the handshake.
        self.one_authority = {"SSL_CERT_FILE": here / "authority.pem"}
        self.authorities = (here / "bundle.pem").read_text().count("BEGIN CERTIFICATE")


@contextlib.contextmanager
def tls_server(sink=None):
    """nginx, which hands uploads to `sink` if there is one."""
    if not shutil.which("nginx", path=measure.ENVIRONMENT["PATH"]):
        raise measure.Unmeasured("nginx is not there")
    with tempfile.TemporaryDirectory() as directory:
        here, port = pathlib.Path(directory), free_port()
        certificates(here)
        uploads = UPLOADS.format(sink=sink) if sink else ""
        (here / "nginx.conf").write_text(
            CONFIGURATION.format(here=here, port=port, token=TOKEN, uploads=uploads))
        process = subprocess.Popen(
            ["nginx", "-p", here, "-e", here / "errors", "-c", here / "nginx.conf"],
            env=measure.ENVIRONMENT, stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield TlsServer(here, port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
