"""Header fields of an MMS PDU or of a mail, read by nobody of ours: JSON pairs on stdout.

Usage: mms_headers.py pdu|mail < FILE. The PDU by the tables of OMA-TS-MMS_ENC-V1_3 (7.3 and 7.4) and
WAP-230-WSP (8.4), the mail by Python's own `email` package.
"""

import json
import sys
from datetime import datetime, timezone
from email import message_from_bytes, policy

YES_NO = {128: "Yes", 129: "No"}
CHARSETS = {3: "ascii", 4: "latin-1", 106: "utf-8"}


def words(first, *names):
    return {first + at: name for at, name in enumerate(names)}


FIELDS = {
    0x01: ("Bcc", "encoded"),
    0x02: ("Cc", "encoded"),
    0x03: ("X-Mms-Content-Location", "text"),
    0x05: ("Date", "date"),
    0x06: ("X-Mms-Delivery-Report", YES_NO),
    0x07: ("X-Mms-Delivery-Time", "time"),
    0x08: ("X-Mms-Expiry", "time"),
    0x09: ("From", "from"),
    0x0A: ("X-Mms-Message-Class", words(128, "Personal", "Advertisement", "Informational", "Auto")),
    0x0B: ("Message-ID", "text"),
    0x0C: ("X-Mms-Message-Type", words(128, "m-send-req", "m-send-conf", "m-notification-ind", "m-notifyresp-ind", "m-retrieve-conf")),
    0x0D: ("X-Mms-MMS-Version", "version"),
    0x0E: ("X-Mms-Message-Size", "long"),
    0x0F: ("X-Mms-Priority", words(128, "Low", "Normal", "High")),
    0x10: ("X-Mms-Read-Report", YES_NO),
    0x11: ("X-Mms-Report-Allowed", YES_NO),
    0x12: ("X-Mms-Response-Status", {229: "Error-permanent-content-not-accepted"}),
    0x13: ("X-Mms-Response-Text", "encoded"),
    0x14: ("X-Mms-Sender-Visibility", words(128, "Hide", "Show")),
    0x15: ("X-Mms-Status", words(128, "Expired", "Retrieved", "Rejected", "Deferred")),
    0x16: ("Subject", "encoded"),
    0x17: ("To", "encoded"),
    0x18: ("X-Mms-Transaction-ID", "text"),
    0x19: ("X-Mms-Retrieve-Status", {194: "Error-transient-network-problem"}),
    0x1A: ("X-Mms-Retrieve-Text", "encoded"),
    0x1B: ("X-Mms-Read-Status", words(128, "Read", "Deleted without being read")),
    0x1C: ("X-Mms-Reply-Charging", words(128, "Requested", "Requested text only", "Accepted", "Accepted text only")),
    0x1D: ("X-Mms-Reply-Charging-Deadline", "time"),
    0x1E: ("X-Mms-Reply-Charging-ID", "text"),
    0x1F: ("X-Mms-Reply-Charging-Size", "long"),
    0x20: ("X-Mms-Previously-Sent-By", "sent-by"),
    0x21: ("X-Mms-Previously-Sent-Date", "sent-date"),
    0x22: ("X-Mms-Store", YES_NO),
    0x23: ("X-Mms-MM-State", words(128, "Draft", "Sent", "New", "Retrieved", "Forwarded")),
    0x25: ("X-Mms-Store-Status", {228: "Error-permanent-mmbox-full"}),
    0x26: ("X-Mms-Store-Status-Text", "encoded"),
    0x31: ("X-Mms-Distribution-Indicator", YES_NO),
    0x34: ("X-Mms-Recommended-Retrieval-Mode", {128: "Manual"}),
    0x35: ("X-Mms-Recommended-Retrieval-Mode-Text", "encoded"),
    0x36: ("X-Mms-Status-Text", "encoded"),
    0x37: ("X-Mms-Applic-ID", "text"),
    0x38: ("X-Mms-Reply-Applic-ID", "text"),
    0x39: ("X-Mms-Aux-Applic-Info", "text"),
    0x3A: ("X-Mms-Content-Class", words(128, "text", "image-basic", "image-rich", "video-basic", "video-rich", "megapixel", "content-basic", "content-rich")),
    0x3B: ("X-Mms-DRM-Content", YES_NO),
    0x3C: ("X-Mms-Adaptation-Allowed", YES_NO),
    0x3D: ("X-Mms-Replace-ID", "text"),
    0x3E: ("X-Mms-Cancel-ID", "text"),
    0x3F: ("X-Mms-Cancel-Status", words(128, "Cancel-Request-Successfully-Received", "Cancel-Request-Corrupted")),
}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def octet(self):
        self.at += 1
        return self.data[self.at - 1]

    def take(self, count):
        self.at += count
        assert self.at <= len(self.data), "cut off"
        return self.data[self.at - count : self.at]

    def text(self):
        end = self.data.index(0, self.at)
        raw = self.take(end - self.at)
        self.at += 1
        return raw[1:] if raw[:1] == b"\x7f" else raw

    def uintvar(self):
        value = 0
        while True:
            octet = self.octet()
            value = value << 7 | octet & 0x7F
            if octet < 128:
                return value

    def length(self):
        first = self.octet()
        return first if first < 31 else self.uintvar()

    def long(self):
        return int.from_bytes(self.take(self.octet()), "big")

    def integer(self):
        return self.octet() & 0x7F if self.data[self.at] >= 128 else self.long()

    def encoded(self):
        if self.data[self.at] > 31:
            return self.text().decode("utf-8")
        end = self.length() + self.at
        charset = CHARSETS[self.integer()]
        text = self.text()
        text = text[1:] if text[:1] == b'"' else text
        assert self.at == end, "a length that is not true"
        return text.decode(charset)

    def inner(self):
        return Reader(self.take(self.length()))


def date(seconds):
    when = datetime.fromtimestamp(seconds, timezone.utc)
    return when.strftime("%a, %d %b %Y %H:%M:%S +0000")


def value(reader, kind):
    if isinstance(kind, dict):
        return kind[reader.octet()]
    if kind == "text":
        return reader.text().decode("utf-8")
    if kind == "encoded":
        return reader.encoded()
    if kind == "date":
        return date(reader.long())
    if kind == "long":
        return str(reader.long())
    if kind == "version":
        octet = reader.octet()
        return f"{octet >> 4 & 7}.{octet & 15}"
    inner = reader.inner()
    if kind == "from":
        return inner.encoded() if inner.octet() == 128 else ""
    if kind == "time":
        absolute = inner.octet() == 128
        found = inner.long() if absolute else inner.integer()
        return date(found) if absolute else str(found)
    count = inner.integer()
    return f"{count}, " + (inner.encoded() if kind == "sent-by" else date(inner.long()))


def pdu(data):
    reader, found = Reader(data), []
    while reader.at < len(data):
        code = reader.octet()
        assert code >= 128, f"a field by name at {reader.at}"
        if code == 0x84:
            return found
        name, kind = FIELDS[code & 0x7F]
        found.append((name, value(reader, kind)))
    return found


def mail(data):
    read = message_from_bytes(data, policy=policy.default)
    return [(name, str(found)) for name, found in read.items()]


print(json.dumps((pdu if sys.argv[1] == "pdu" else mail)(sys.stdin.buffer.read())))
