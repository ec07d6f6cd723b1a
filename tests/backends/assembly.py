"""The loops of compiled code, found in its assembly."""

import re


def innermost_loops(assembly: str) -> list[list[str]]:
    """The instructions of every loop that holds no other.

    A loop is a jump back to a label, and whatever leads to that jump without passing the label
    again. What merely stands between the two may run after the loop.
    """
    lines = [line.strip() for line in assembly.splitlines()]
    labels = {line[:-1]: k for k, line in enumerate(lines) if re.fullmatch(r"\.?\w+:", line)}
    before: list[set[int]] = [set() for _ in lines]  # the lines from which each is reached
    back = []
    for k, line in enumerate(lines):
        jump = re.match(r"(j\w+)\s+(\.\w+)", line)
        if jump and jump[2] in labels:
            before[labels[jump[2]]].add(k)
            if labels[jump[2]] < k:
                back.append((labels[jump[2]], k))
        if not re.match(r"jmp|ret", line) and k + 1 < len(lines):
            before[k + 1].add(k)
    loops = [reaching(before, label, jump) for label, jump in back]
    return [
        [lines[k] for k in sorted(loop)]
        for loop in loops
        if not any(other < loop for other in loops)
    ]


def reaching(before: list[set[int]], label: int, jump: int) -> set[int]:
    """The lines between a label and the jump back to it, both included."""
    found, waiting = {label, jump}, [jump]
    while waiting:
        new = before[waiting.pop()] - found
        found |= new
        waiting += new
    return found
