"""Bytes of protocols whose clients are no Python packages: remote write 1.0, remote read and Loki's protobuf push."""

import struct


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def snappy(content):
    """The block format with literals only (format description, section 2.1)."""
    out = bytearray(varint(len(content)))
    for start in range(0, len(content), 60):
        piece = content[start : start + 60]
        out.append((len(piece) - 1) << 2)
        out += piece
    return bytes(out)


def read_varint(content, at):
    number = shift = 0
    while True:
        byte = content[at]
        number, at, shift = number | (byte & 0x7F) << shift, at + 1, shift + 7
        if byte < 0x80:
            return number, at


def unsnappy(content):
    """The block format (format description, section 2)."""
    size, at = read_varint(content, 0)
    out = bytearray()
    while at < len(content):
        tag = content[at]
        at += 1
        if tag & 3 == 0:
            length = tag >> 2
            if length >= 60:
                count = length - 59
                length, at = int.from_bytes(content[at : at + count], "little"), at + count
            out += content[at : at + length + 1]
            at += length + 1
            continue
        if tag & 3 == 1:
            length, offset, at = (tag >> 2 & 7) + 4, tag >> 5 << 8 | content[at], at + 1
        else:
            count = 2 if tag & 3 == 2 else 4
            length, offset, at = (tag >> 2) + 1, int.from_bytes(content[at : at + count], "little"), at + count
        for _ in range(length):
            out.append(out[-offset])
    assert len(out) == size
    return bytes(out)


def fields(content):
    """A message's fields: {number: [bytes of a length-delimited one, or the number that a varint, fixed64 or fixed32 holds]}."""
    found, at = {}, 0
    while at < len(content):
        key, at = read_varint(content, at)
        if key & 7 == 0:
            value, at = read_varint(content, at)
        elif key & 7 == 2:
            size, at = read_varint(content, at)
            value, at = content[at : at + size], at + size
        else:
            size = 8 if key & 7 == 1 else 4
            value, at = int.from_bytes(content[at : at + size], "little"), at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def remote_read(metric, start, end):
    """A ReadRequest for one metric, in milliseconds, whose answer may only be samples; compressed."""
    matcher = field(2, b"__name__") + field(3, metric.encode())
    return snappy(field(1, b"\x08" + varint(start) + b"\x10" + varint(end) + field(3, matcher)))


def zigzag(number):
    return varint(number << 1 ^ number >> 63)


def histogram(timestamp, counts, total):
    """An exponential histogram of schema 0 whose buckets begin above 0.5, as a remote write 1.0 message."""
    deltas = [count - before for count, before in zip(counts, [0, *counts])]
    return (b"\x08" + varint(sum(counts)) + b"\x19" + struct.pack("<d", total) + b"\x29" + struct.pack("<d", 1e-128)
            + field(11, b"\x10" + varint(len(counts))) + field(12, b"".join(map(zigzag, deltas))) + b"\x78" + varint(timestamp))


def remote_write(series):
    """`series`: [(labels, [(milliseconds, value)])] as a WriteRequest, compressed; a value may be a pair for `histogram`: counts and sum."""
    message = b""
    for labels, samples in series:
        one = b"".join(field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in sorted(labels.items()))
        for timestamp, value in samples:
            if isinstance(value, tuple):
                one += field(4, histogram(timestamp, *value))
            else:
                one += field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(timestamp))
        message += field(1, one)
    return snappy(message)


REMOTE_WRITE_HEADERS = {
    "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0", "User-Agent": "end-to-end",
}
