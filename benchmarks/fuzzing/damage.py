"""Damage to a valid example: to its bytes, to a value of its JSON, or to what an array or an archive promises."""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np

# Bytes that end or begin something in one of the formats.
TOKENS = (
    b"\0", b"\0" * 64, b"\xff", b"\xff" * 8, b"\n", b"\r", b"\x1b[2J", b"[", b"[" * 200, b"{", b"}", b'"',
    b"'", b"=", b".",
    b",", b"#", b"nan", b"inf", b"-1", b"1e999", b"9" * 40, b"9" * 5000, b"true", b"PK\x03\x04", b"PK\x05\x06",
    b"\x93NUMPY", "é".encode(), "\u202e".encode(), b"\xed\xa0\x80", b"\xf0\x9f\x92\xa9", b"0x7fffffffffffffff",
)  # fmt: skip
LIMITS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 10**12)
# JSON's values, and what Python reads beyond them.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**70), 10**400, 0.0, -0.0, 0.5, 1e-320, 1e308, float("nan"),
    float("inf"), float("-inf"), "", "x", "val_accuracy", "\0", "\x1b[31m", "\ud800", "é\u202e", "a" * 10_000,
    "../../x",
    "/dev/zero", [], [None], [[]], [0, 1], [[0, 1]], ["x"], {}, {"x": None}, {"kind": "x"}, [float("nan")] * 3,
    [10**30],
)  # fmt: skip
DEEP = 100_000  # brackets: deeper than any parser that calls itself can follow
BOMB = 2**28  # bytes that a small file unpacks to: more than a case may take
SHAPES = (
    "(1000000000000,)", "(1000000000, 28, 28)", "(1000000000000, 0)", "(0, 1000000000000)", "(100000000, 0)",
    "(3, 0, 0)",
    "()", "(0,)", "(-1,)", "(-1, 28, 28)", "(1.5,)", "(True, 3)", "('x',)", "None", "(30,)", "(30, 1)", "(30, 8, 8)",
    "(30, 8, 8, 1)", "(30, 8, 8, 3)", "(9223372036854775807, 9223372036854775807)", "(" + "1, " * 60 + ")",
    "(99999999999999999999,)",
)  # fmt: skip
TYPES = (
    "'|u1'", "'<f8'", "'<f2'", "'>i2'", "'<i8'", "'|b1'", "'<c16'", "'<M8[s]'", "'<m8[D]'", "'|O'", "'<U0'", "'|S0'",
    "'|V0'", "'<U1'", "'<U100000000'", "'|S2000000000'", "'|V8'", "[('a', '<i4'), ('b', 'O')]", 
    "[('a', '<i4', (2, 2))]",
    "'<U3'", "'>f4'", "'<f16'", "None", "'nonsense'", "3", "('<i4', (1000000,))",
)  # fmt: skip


def damaged(rng: Random, content: bytes, others: Sequence[bytes] = ()) -> bytes:
    """One to six changes: flipped bits, cut or doubled pieces, numbers at their limits, tokens, pieces of others."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        at = _place(rng, changed)
        length = rng.choice((1, 2, 4, 8, 16, 100, 1000))
        match rng.randrange(8):
            case 0 if changed:
                changed[min(at, len(changed) - 1)] ^= 1 << rng.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = changed[at : at + length] * rng.choice((1, 1, 50))
            case 4:
                changed[at:at] = rng.choice(TOKENS)
            case 5:
                number = struct.pack(rng.choice(("<Q", ">Q")), rng.choice(LIMITS))
                size = rng.choice((1, 2, 4, 8))
                changed[at : at + size] = number[:size] if rng.random() < 0.5 else number[-size:]
            case 6 if others:
                other = rng.choice(others)
                start = _place(rng, other)
                changed[at : at + rng.choice((0, length))] = other[start : start + length]
            case _:
                changed[at : at + length] = rng.randbytes(length)
    return bytes(changed)


def _place(rng: Random, content: Sequence[int]) -> int:
    """A place in the content, more often near its beginning and its end, where headers and directories are."""
    size = len(content)
    near = rng.randrange(min(size, 200) + 1)
    return rng.choice((near, size - near, rng.randrange(size + 1)))


def damaged_json(rng: Random, value: Any) -> str:
    """JSON in which one to three values are others, missing, doubled or nested, or a text that is damaged itself."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        value = _other(rng, value)
    text = json.dumps(value)
    if rng.random() < 0.03:
        opening = rng.choice(("[", '{"a":'))
        text = text.replace("0", opening * DEEP + "0", 1)
    if rng.random() < 0.2:
        return damaged(rng, text.encode()).decode("utf-8", "surrogateescape")
    return text


def _other(rng: Random, value: Any) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        rest = {name: each for name, each in value.items() if name != key}
        match rng.randrange(8):
            case 0:
                return rest
            case 1:
                return rest | {rng.choice(("", "x", key.upper(), rng.choice(list(value)))): value[key]}
            case 2:
                return value | {rng.choice(("clock", "stack", "n", "right", "kind", "\x1b")): rng.choice(VALUES)}
        return value | {key: _other(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.7:
        place = rng.randrange(len(value))
        inside = [_other(rng, value[place])] if rng.random() < 0.7 else rng.choice(([], [value[place]] * 3))
        return [*value[:place], *inside, *value[place + 1 :]]
    if rng.random() < 0.1:
        return rng.choice(([value], {"x": value}, str(value)))
    return rng.choice(VALUES)


def array_file(shape: str, kind: str, data: bytes = b"") -> bytes:
    """An .npy file that promises an array, and holds `data`."""
    header = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def array_bytes(array: np.ndarray) -> bytes:
    """An array as an .npy file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def damaged_archive(rng: Random, members: dict[str, bytes], *, packed: bool = False) -> bytes:
    """A ZIP archive of .npy files of which one promises much, unpacks to much, is damaged, missing or doubled."""
    members = dict(members)
    name = rng.choice(list(members))
    bomb = False
    match rng.randrange(7):
        case 0 | 1:
            data = members[name][128:] if rng.random() < 0.7 else b""
            members[name] = array_file(rng.choice(SHAPES), rng.choice(TYPES), data)
        case 2:
            members[name] = damaged(rng, members[name], list(members.values()))
        case 3:
            del members[name]
        case 4:
            members[rng.choice(("x.npy", "x_val.npy", "class_names.npy", "../x.npy", name[:-4]))] = members[name]
        case 5 if rng.random() < 0.05:
            bomb = True
    file = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if packed or bomb or rng.random() < 0.3 else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", how, compresslevel=1) as archive:
        for each, content in members.items():
            if bomb and each == name:
                _write_bomb(rng, archive, each)
            else:
                archive.writestr(each, content)
    content = file.getvalue()
    return damaged(rng, content) if rng.random() < 0.4 else content


def _write_bomb(rng: Random, archive: zipfile.ZipFile, name: str) -> None:
    """A member of half a kilobyte for each megabyte that it unpacks to: an array of zeros."""
    side = int((BOMB // 64) ** 0.5)
    shape, kind = rng.choice(((f"({BOMB},)", "'|u1'"), (f"({BOMB // 64}, 8, 8)", "'|u1'"), (f"({BOMB // 4},)", "'<f4'"),
                              (f"({side}, {side}, 8, 8)", "'|u1'")))  # fmt: skip
    with archive.open(name, "w", force_zip64=True) as member:
        member.write(array_file(shape, kind))
        for _ in range(BOMB // 2**22):
            member.write(bytes(2**22))


def gzip_bomb(head: bytes) -> bytes:
    """A small compressed file that begins with `head` and unpacks to much."""
    file = io.BytesIO()
    with gzip.open(file, "wb", compresslevel=1) as packed:
        packed.write(head)
        for _ in range(BOMB // 2**22):
            packed.write(bytes(2**22))
    return file.getvalue()


Damage = Callable[[Random, bytes], bytes]
