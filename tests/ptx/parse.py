"""The text of a PTX module as instructions, labels, registers and arrays.

Only what NVIDIA's compiler writes for a kernel: one entry, no functions beside it.
"""

import re
from typing import NamedTuple

import numpy as np

TYPES = {"pred", *(kind + bits for kind in "busf" for bits in ("8", "16", "32", "64"))}
VECTORS = {"v2": 2, "v4": 4}
SPACES = {"global", "shared", "const", "param", "local"}


class Instruction(NamedTuple):
    """`@!%p1 ld.shared.v4.f32 {%f1, …}, [%rd2+16];` taken apart."""

    text: str
    guard: str | None  # the predicate that says which threads take part
    wanted: bool  # its value for those
    name: str  # ld.shared.v4.f32
    opcode: str  # ld
    modifiers: frozenset[str]  # all others but types, vectors and spaces
    types: tuple[str, ...]  # f32
    vector: int  # 4
    space: str  # shared
    operands: tuple[str, ...]


class Table(NamedTuple):
    """An array that a module declares: in shared memory, or of constants with their bytes."""

    name: str
    space: str
    align: int
    size: int
    bytes: np.ndarray | None


class Program(NamedTuple):
    name: str
    parameters: tuple[str, ...]
    code: tuple[Instruction, ...]
    labels: dict[str, int]  # → the instruction that follows
    registers: dict[str, str]  # → pred, b16, b32 or b64
    tables: tuple[Table, ...]


ENTRY = re.compile(r"\.entry\s+([\w$]+)\s*\(([^)]*)\)[^{]*\{(.*)\}", re.S)
DECLARED = re.compile(
    r"\.(shared|global|const)\s+(?:\.align\s+(\d+)\s+)?\.(\w+)\s+([\w$]+)"
    r"(?:\[(\d+)\])?(?:\s*=\s*\{?([^;}]*)\}?)?\s*;"
)
REGISTERS = re.compile(r"\.reg \.(\w+) (%\w+)(?:<(\d+)>)?")
BEFORE = re.compile(r"[{}\s]*(?:([\w$]+):)?")  # braces of a scope, and a label
OPERAND = re.compile(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+")


def parse(source: str) -> Program:
    """Raises NotImplementedError for a module with functions beside the kernel."""
    source = re.sub(r"//[^\n]*", "", source)
    if re.search(r"\.func\b", source):
        raise NotImplementedError("a PTX module with functions")
    entry = ENTRY.search(source)
    code, labels, registers = [], {}, {}
    for statement in entry[3].split(";"):
        while (before := BEFORE.match(statement))[0]:
            labels |= {before[1]: len(code)} if before[1] else {}
            statement = statement[before.end() :]
        statement = " ".join(statement.split())
        if found := REGISTERS.match(statement):
            kind = found[1] if found[1] == "pred" else f"b{found[1][1:]}"
            numbers = range(int(found[3])) if found[3] else [""]
            registers |= {f"{found[2]}{k}": kind for k in numbers}
        elif statement and not statement.startswith("."):
            code.append(parse_instruction(statement))
    parameters = re.findall(r"([\w$]+)\s*(?:,|$)", entry[2])
    tables = tuple(declared(*found) for found in DECLARED.findall(source))
    return Program(entry[1], tuple(parameters), tuple(code), labels, registers, tables)


def parse_instruction(text: str) -> Instruction:
    guard = re.match(r"@(!?)(%\w+) ", text)
    name, _, rest = text[guard.end() if guard else 0 :].partition(" ")
    opcode, *modifiers = name.split(".")
    types = tuple(m for m in modifiers if m in TYPES)
    vector = next((VECTORS[m] for m in modifiers if m in VECTORS), 1)
    space = next((m for m in modifiers if m in SPACES), "")
    others = frozenset(modifiers).difference(TYPES, VECTORS, SPACES)
    return Instruction(
        text, guard and guard[2], not (guard and guard[1]), name, opcode, others, types, vector,
        space, tuple(OPERAND.findall(rest)),
    )  # fmt: skip


def declared(space, align, kind, name, count, values) -> Table:
    each = size_of(kind)
    size = each * int(count or 1)
    data = None  # what has no values is Numba's and never used
    if values:
        numbers = [int(v, 0) % (1 << 8 * each) for v in values.replace(",", " ").split()]
        data = np.zeros(size, np.uint8)
        data[: len(numbers) * each] = np.array(numbers, f"u{each}").view(np.uint8)
    return Table(name, space, int(align or each), size, data)


def size_of(kind: str) -> int:
    """Bytes of a type such as f32."""
    return int(kind[1:]) // 8


def parts(vector: str) -> list[str]:
    """The registers of `{%f1, %f2}`, or the one."""
    return re.findall(r"[^{},\s]+", vector)
