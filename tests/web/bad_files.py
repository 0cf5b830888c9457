"""Forty kinds of file that are no poster, or a poster that means harm."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, data: bytes = b"", depth: int = 8, colour: int = 2) -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def bad_files() -> dict[str, bytes]:
    """Name -> content; none of them is a picture that may be shown to a model."""
    small = Image.linear_gradient("L").resize((60, 90)).convert("RGB")
    jpeg, png, webp = (_saved(small, kind) for kind in ("JPEG", "PNG", "WEBP"))
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:1/x"/></svg>'
    found = {
        "empty": b"",
        "one byte": b"\0",
        "blanks": b" " * 1000,
        "zeros": b"\0" * 100_000,
        "text": b"a shark attacks a beach town",
        "html": b"<!doctype html><script>alert(1)</script>",
        "svg": svg,
        "svg with an entity": b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
        "xml bomb": b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "'
        + b"b" * 999
        + b'"><!ENTITY c "&a;&a;&a;">]><l>&c;</l>',
        "json": b'{"url": "http://127.0.0.1/x.jpg"}',
        "address": b"http://169.254.169.254/latest/meta-data/",
        "path": b"/etc/passwd",
        "script": b"#!/bin/sh\nrm -rf /\n",
        "pdf": b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "zip": b"PK\x03\x04" + b"\0" * 200,
        "gzip": b"\x1f\x8b\x08" + b"\0" * 100,
        "elf": b"\x7fELF" + b"\0" * 100,
        "pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        "gif": _saved(small.convert("P"), "GIF"),
        "bmp": _saved(small, "BMP"),
        "tiff": _saved(small, "TIFF"),
        "ico": _saved(small.resize((32, 32)), "ICO"),
        "ppm": _saved(small, "PPM"),
        "tga": _saved(small, "TGA"),
        "jpeg 2000 head": b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 64,
        "avif head": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + b"\0" * 64,
        "heic head": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64,
        "jpeg head alone": jpeg[:20],
        "jpeg cut": jpeg[: len(jpeg) // 2],
        "jpeg of noise": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(range(256)) * 20,
        "png head alone": png[:33],
        "png cut": png[: len(png) // 2],
        "png of noise": png[:60] + b"\xaa" * 200 + png[260:],
        "png of no width": _png(0, 10),
        "png bomb": _png(30_000, 30_000, zlib.compress(b"\0" * 1_000_000)),
        "png too wide": _png(2_000_000, 2, zlib.compress(b"\0" * 100)),
        "png too large": _saved(Image.new("L", (5001, 5001)), "PNG"),
        "png of a lying length": png[:8] + b"\x7f\xff\xff\xff" + png[12:],
        "png with a huge text": png[:33] + struct.pack(">I", 2**31 - 1) + b"tEXt" + png[33:],
        "webp cut": webp[: len(webp) // 2],
        "webp head alone": webp[:16],
        "riff of sound": b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 40,
        "gif called jpeg": b"\xff\xd8" + _saved(small.convert("P"), "GIF"),
    }
    return found
