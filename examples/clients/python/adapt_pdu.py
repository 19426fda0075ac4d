"""Has an MMS PDU fitted for a device: the call of an MMSC, with deadline, retries, token and TLS.

    adapt_pdu.py 127.0.0.1:50051 message.mms fitted.mms --device nokia-6600
    adapt_pdu.py dns:///mmsfit.example:50051 message.mms fitted.mms --carrier us-att \\
        --ca ca.pem --cert mmsc.pem --key mmsc.key --token-file token
"""

import argparse
import importlib
import pathlib
import random
import sys
import tempfile
import time

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

OPTIONS = [
    # Messages are larger than the 4 MiB that gRPC takes by default.
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
    # One connection to each address behind the name, calls in turn.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
]
# What another attempt may help, where the answer has a hint when.
RETRIED = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)


def generated(proto_root):
    """Messages and stubs of the service, made from its proto files."""
    out = tempfile.mkdtemp(prefix="mmsfit-stubs-")
    files = [str(path) for path in sorted(pathlib.Path(proto_root, "mmsfit/v1").glob("*.proto"))]
    well_known = str(pathlib.Path(protoc.__file__).parent / "_proto")
    arguments = ["protoc", f"-I{proto_root}", f"-I{well_known}"]
    if protoc.main(arguments + [f"--python_out={out}", f"--grpc_python_out={out}"] + files) != 0:
        sys.exit("the proto files do not compile")
    sys.path.insert(0, out)
    return (importlib.import_module("mmsfit.v1.adaptation_pb2"),
            importlib.import_module("mmsfit.v1.adaptation_pb2_grpc"))


def read(path):
    return pathlib.Path(path).read_bytes() if path else None


def channel(arguments):
    """Plain text, or TLS where --ca is given; with a certificate of our own where the service asks."""
    if not arguments.ca:
        return grpc.insecure_channel(arguments.address, options=OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        read(arguments.ca), read(arguments.key), read(arguments.cert))
    return grpc.secure_channel(arguments.address, credentials, options=OPTIONS)


def details(error):
    """The reason, its metadata, and after how many seconds to try again (None: no hint)."""
    reason, metadata, hint = "", {}, None
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(retry):
            hint = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return reason, metadata, hint


def adapt(call, request, patience, metadata):
    """The answer. `patience` is for all attempts together: who waits does not wait longer for retries."""
    end = time.monotonic() + patience
    while True:
        try:
            return call(request, timeout=max(0.001, end - time.monotonic()), metadata=metadata)
        except grpc.RpcError as error:
            reason, facts, hint = details(error)
            left = end - time.monotonic()
            # The same input gives the same bytes, and nothing is stored: a retry is safe.
            if error.code() not in RETRIED or hint is None or hint >= left:
                facts = "".join(f" {key}={value}" for key, value in sorted(facts.items()))
                sys.exit(f"{error.code().name} {reason}{facts}: {error.details()}")
            # Those who were refused together do not come back together.
            pause = min(hint * random.uniform(1, 1.5), left)
            print(f"{reason}: again in {pause:.1f} s", file=sys.stderr)
            time.sleep(pause)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="HOST:PORT, or dns:///NAME:PORT for all addresses of a name")
    parser.add_argument("pdu", help="the message")
    parser.add_argument("out", help="where to write the fitted one")
    parser.add_argument("--device", default="", help="name from `mmsfit devices`")
    parser.add_argument("--user-agent", default="", help="the User-Agent of the device")
    parser.add_argument("--carrier", default="", help="name from `mmsfit carriers`, or MCC-MNC")
    parser.add_argument("--max-bytes", type=int, help="a limit of your own")
    parser.add_argument("--deadline", type=float, default=10.0, help="seconds, retries included")
    parser.add_argument("--request-id", default="", help="echoed, and in the service's log")
    parser.add_argument("--token-file", help="file with a bearer token")
    parser.add_argument("--ca", help="roots for the service's certificate (PEM): turns TLS on")
    parser.add_argument("--cert", help="own certificate (PEM), for mutual TLS")
    parser.add_argument("--key", help="its key (PEM)")
    parser.add_argument("--proto", default=str(pathlib.Path(__file__).resolve().parents[3] / "proto"))
    arguments = parser.parse_args()

    messages, stubs = generated(arguments.proto)
    request = messages.AdaptRequest(
        request_id=arguments.request_id, mms_pdu=read(arguments.pdu), carrier=arguments.carrier)
    request.device.device_id = arguments.device
    request.device.user_agent = arguments.user_agent
    if arguments.max_bytes:
        request.limits.max_message_bytes = arguments.max_bytes
    metadata = []
    if arguments.token_file:
        metadata.append(("authorization", "Bearer " + read(arguments.token_file).decode().strip()))

    with channel(arguments) as open_channel:
        call = stubs.AdaptationServiceStub(open_channel).Adapt
        answer = adapt(call, request, arguments.deadline, metadata)
    pathlib.Path(arguments.out).write_bytes(answer.mms_pdu)
    report = answer.report
    outcome = report.DESCRIPTOR.fields_by_name["outcome"].enum_type.values_by_number[report.outcome]
    print(f"{outcome.name}: {report.wire_bytes_before} -> {report.wire_bytes_after} bytes")


if __name__ == "__main__":
    main()
