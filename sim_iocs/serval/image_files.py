"""Images as files: tiff, pgm, png and jsonimage, with what the standard library has."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from sim_iocs.serval.images import Image, jsonimage

__all__ = ["encode_image"]


def encode_image(image: Image, kind: str, integration_size: int) -> bytes:
    """Content of a file of one of Serval's formats; pgm and png hold 16 bits a pixel."""
    if kind == "tiff":
        return _tiff(image.pixels)
    if kind == "pgm":
        height, width = image.pixels.shape
        return f"P5\n{width} {height}\n65535\n".encode() + _sixteen(image.pixels)
    if kind == "png":
        return _png(image.pixels)
    return jsonimage(image, integration_size=integration_size)


def _sixteen(pixels: NDArray[np.unsignedinteger]) -> bytes:
    return np.minimum(pixels, 0xFFFF).astype(">u2").tobytes()


def _tiff(pixels: NDArray[np.unsignedinteger]) -> bytes:
    height, width = pixels.shape
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    # width, height, bits, no compression, black is 0, place, samples, rows a strip, bytes, unsigned
    entries = (
        (256, width),
        (257, height),
        (258, 8 * pixels.itemsize),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, height),
        (279, len(data)),
        (339, 1),
    )
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + directory + bytes(4)


def _png(pixels: NDArray[np.unsignedinteger]) -> bytes:
    height, width = pixels.shape
    rows = np.frombuffer(_sixteen(pixels), np.uint8).reshape(height, 2 * width)
    unfiltered = np.concatenate((np.zeros((height, 1), np.uint8), rows), axis=1)

    def part(name: bytes, data: bytes) -> bytes:
        checked = name + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    body = part(b"IHDR", header) + part(b"IDAT", zlib.compress(unfiltered.tobytes(), 1))
    return b"\x89PNG\r\n\x1a\n" + body + part(b"IEND", b"")
