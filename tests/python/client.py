"""A stock grpcio client of mmsfit, as an MMSC would write it.

It talks to the service in two ways: with stubs that grpcio-tools generates from our proto, and
with nothing but what the server's reflection tells. Both send the same message, a PDU with a photo
in it, and print the report as a table.

    client.py ADDRESS PHOTO --max-bytes 100000   adapt, both ways
    client.py ADDRESS --contract                 only compare the two ways
"""

import argparse
import importlib
import pathlib
import sys
import tempfile

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status
from grpc_tools import protoc

PACKAGE = "mmsfit.v1"
SERVICES = ("AdaptationService", "ProfileService")
# Photos are larger than grpcio's default of 4 MiB.
OPTIONS = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]


def generate_stubs(proto_root):
    """Modules generated from the proto files: {file stem: (messages, stubs)}."""
    out = tempfile.mkdtemp(prefix="mmsfit-stubs-")
    files = sorted(str(path) for path in pathlib.Path(proto_root, "mmsfit/v1").glob("*.proto"))
    well_known = str(pathlib.Path(protoc.__file__).parent / "_proto")
    arguments = ["protoc", f"-I{proto_root}", f"-I{well_known}"]
    arguments += [f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main(arguments + files) != 0:
        sys.exit("the proto files do not compile")
    sys.path.insert(0, out)
    modules = {}
    for path in files:
        stem = pathlib.Path(path).stem
        messages = importlib.import_module(f"mmsfit.v1.{stem}_pb2")
        stubs = importlib.import_module(f"mmsfit.v1.{stem}_pb2_grpc")
        modules[stem] = (messages, stubs)
    return modules


class Reflected:
    """The service as its reflection describes it."""

    def __init__(self, channel):
        self.channel = channel
        self.database = ProtoReflectionDescriptorDatabase(channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def message(self, name):
        return message_factory.GetMessageClass(
            self.pool.FindMessageTypeByName(f"{PACKAGE}.{name}")
        )

    def call(self, service, method):
        """A callable for a unary method."""
        described = self.pool.FindServiceByName(f"{PACKAGE}.{service}").methods_by_name[method]
        answer = message_factory.GetMessageClass(described.output_type)
        return self.channel.unary_unary(
            f"/{PACKAGE}.{service}/{method}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=answer.FromString,
        )


def uintvar(n):
    """WAP-230 section 8.1.2."""
    octets = [n & 0x7F]
    while n > 0x7F:
        n >>= 7
        octets.append(n & 0x7F | 0x80)
    return bytes(reversed(octets))


def send_request_pdu(photo):
    """An M-Send.req (OMA-TS-MMS_ENC) that carries one JPEG."""
    headers = b"\x8c\x80" + b"\x98T1\0" + b"\x8d\x92"  # type, transaction, version 1.2
    headers += b"\x89\x01\x81"  # From: insert-address-token
    headers += b"\x97+15550100/TYPE=PLMN\0"  # To
    headers += b"\x84\xa3"  # Content-Type: application/vnd.wap.multipart.mixed
    part = b"\x9e" + b"\x8ephoto.jpg\0"  # image/jpeg, Content-Location
    return headers + uintvar(1) + uintvar(len(part)) + uintvar(len(photo)) + part + photo


def fill(request, pdu, arguments, request_id):
    """The same request, whichever way its class was made."""
    request.request_id = request_id
    request.mms_pdu = pdu
    request.carrier = arguments.carrier
    request.device.device_id = arguments.device
    if arguments.max_bytes:
        request.limits.max_message_bytes = arguments.max_bytes
    if arguments.max_image:
        width, height = arguments.max_image.split("x")
        request.limits.max_image_width = int(width)
        request.limits.max_image_height = int(height)
    return request


def word(message, field):
    """The name of an enumeration's value without its prefix."""
    value = message.DESCRIPTOR.fields_by_name[field]
    prefix = value.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return value.enum_type.values_by_number[getattr(message, field)].name.removeprefix(prefix)


def medium(info):
    size = f"{info.dimensions.width}x{info.dimensions.height} " if info.HasField("dimensions") else ""
    return f"{info.media_type} {size}{info.bytes} B"


def print_report(way, response):
    report = response.report
    limit = f"{report.limit.bytes} B by {word(report.limit, 'source')}" if report.HasField("limit") else "none"
    print(f"{way}: {response.request_id} {word(report, 'outcome')}, limit {limit}, "
          f"wire bytes {report.wire_bytes_before} -> {report.wire_bytes_after}, "
          f"PDU of {len(response.mms_pdu)} B")
    rows = [("part", "action", "before", "after", "encodes", "cpu ms", "reasons")]
    for part in report.parts:
        after = medium(part.after) if part.HasField("after") else "-"
        reasons = ", ".join(word(reason, "code") for reason in part.reasons)
        rows.append((str(part.part_index), word(part, "action"), medium(part.before), after,
                     str(part.encodes), f"{part.cpu_ms:.1f}", reasons))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def print_error(way, error):
    """The status with its details."""
    print(f"{way}: {error.code().name}: {error.details()}", file=sys.stderr)
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest,
                     error_details_pb2.RetryInfo):
            message = kind()
            if detail.Unpack(message):
                print(f"  {kind.DESCRIPTOR.name}: {' '.join(str(message).split())}", file=sys.stderr)


def compare(generated, reflected):
    """Whether reflection tells what the proto files say."""
    for stem, (messages, _) in generated.items():
        name = messages.DESCRIPTOR.name
        for message in messages.DESCRIPTOR.message_types_by_name.values():
            twin = reflected.message(message.name).DESCRIPTOR
            mine = [(f.name, f.number, f.type) for f in message.fields]
            theirs = [(f.name, f.number, f.type) for f in twin.fields]
            if mine != theirs:
                sys.exit(f"{name}: {message.name} differs: {mine} {theirs}")
    listed = reflected.database.get_services()
    for service in SERVICES:
        if f"{PACKAGE}.{service}" not in listed:
            sys.exit(f"{service} is not among {listed}")
    print(f"contract: {len(generated)} files are the same by proto and by reflection")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("photo", nargs="?")
    parser.add_argument("--proto", default=str(pathlib.Path(__file__).parents[2] / "proto"))
    parser.add_argument("--contract", action="store_true", help="compare the two ways, adapt nothing")
    parser.add_argument("--device", default="")
    parser.add_argument("--carrier", default="")
    parser.add_argument("--max-bytes", type=int)
    parser.add_argument("--max-image", metavar="WxH")
    parser.add_argument("--out", help="where to write the adapted PDU")
    arguments = parser.parse_args()
    if not arguments.contract and not arguments.photo:
        parser.error("a photo is needed, or --contract")

    generated = generate_stubs(arguments.proto)
    with grpc.insecure_channel(arguments.address, options=OPTIONS) as channel:
        reflected = Reflected(channel)
        compare(generated, reflected)
        messages, stubs = generated["profile"]
        carriers = stubs.ProfileServiceStub(channel).ListCarriers(messages.ListCarriersRequest(), timeout=10)
        print(f"carriers: {len(carriers.carriers)}")
        if arguments.contract:
            return 0

        pdu = send_request_pdu(pathlib.Path(arguments.photo).read_bytes())
        messages, stubs = generated["adaptation"]
        ways = [
            ("stubs", stubs.AdaptationServiceStub(channel).Adapt, messages.AdaptRequest),
            ("reflection", reflected.call("AdaptationService", "Adapt"), reflected.message("AdaptRequest")),
        ]
        answers = []
        for way, call, kind in ways:
            try:
                response = call(fill(kind(), pdu, arguments, f"python-{way}"), timeout=60)
            except grpc.RpcError as error:
                print_error(way, error)
                return 1
            print_report(way, response)
            if arguments.max_bytes and len(response.mms_pdu) > arguments.max_bytes:
                sys.exit(f"{way}: {len(response.mms_pdu)} bytes are over the limit")
            answers.append(response.mms_pdu)
        if answers[0] != answers[1]:
            sys.exit("the two ways got different messages")
        if arguments.out:
            pathlib.Path(arguments.out).write_bytes(answers[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
