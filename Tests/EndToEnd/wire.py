"""Bytes of protocols whose clients are no Python packages: remote write 1.0 and Loki's protobuf push."""

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


def remote_write(series):
    """`series`: [(labels, [(milliseconds, value)])] as a WriteRequest, compressed."""
    message = b""
    for labels, samples in series:
        one = b"".join(field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in sorted(labels.items()))
        for timestamp, value in samples:
            one += field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(timestamp))
        message += field(1, one)
    return snappy(message)


REMOTE_WRITE_HEADERS = {
    "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0", "User-Agent": "end-to-end",
}
