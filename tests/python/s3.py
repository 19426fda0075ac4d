"""An S3 of another house (moto) on a port of the loopback, which fails on purpose; and its client.

    s3.py PORT BUCKET [SHARE]
    s3.py up|down ADDRESS BUCKET PREFIX FOLDER

SHARE of all requests are answered with 500, and as many half a second late. Prints "ready", and
serves until its standard input ends: it goes with whoever started it.
"""

import pathlib
import random
import sys
import threading
import time

import boto3


def client(address):
    """A client that tries again."""
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def copy(how, address, bucket, prefix, folder):
    """All files of a folder up, or all objects below a prefix down."""
    s3, root = client(address), pathlib.Path(folder)
    if how == "up":
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            key = f"{prefix}/{path.relative_to(root).as_posix()}"
            s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        return
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/"):
        for found in page.get("Contents", []):
            path = root / found["Key"][len(prefix) + 1 :]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())


def serve(port, bucket, share):
    """Serves, in some moods."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    app = DomainDispatcherApplication(create_backend_app)
    chance, lock = random.Random(20261130), threading.Lock()
    moody = threading.Event()

    def passed_on(environ, start_response):
        if moody.is_set():
            with lock:
                drawn = chance.random()
            if drawn < share:
                start_response("500 Internal Server Error", [("Content-Length", "0")])
                return [b""]
            if drawn < 2 * share:
                time.sleep(0.5)
        return app(environ, start_response)

    server = make_server("127.0.0.1", port, passed_on, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client(f"http://127.0.0.1:{port}").create_bucket(Bucket=bucket)
    moody.set()
    print("ready", flush=True)
    sys.stdin.read()


if sys.argv[1] in ("up", "down"):
    copy(*sys.argv[1:])
else:
    serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 0.0)
