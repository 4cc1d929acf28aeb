#!/usr/bin/env python3
"""Runs a command in a terminal of its own and draws what it showed as an SVG.

    eng/record-svg.py --out docs/images/run.svg [--columns 100] [--head 14] [--tail 30] -- COMMAND [ARGUMENT ...]

The command runs under a pseudo-terminal, so that it shows colours and widths as it does for a person. Its output is
interpreted (colours, carriage returns, cursor up, erasing), and the first and last lines of the screen become text in
an SVG that any browser shows. Needs Python 3 on Linux or macOS and nothing else.
"""
import argparse
import fcntl
import html
import os
import pty
import re
import select
import struct
import sys
import termios
import unicodedata

COLOURS = ["#3b4252", "#e06c75", "#8fbf6f", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dee9",
           "#7f8797", "#ff7b86", "#a5d68a", "#f2d08a", "#7fc1ff", "#d993ee", "#6fd0dc", "#ffffff"]
FOREGROUND, BACKGROUND = "#d8dee9", "#1e222a"
TOKEN = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>()][A-Z0-9]?|([\r\n\b])|(\t)|([^\x00-\x1f\x7f])")


def colour_256(n):
    """One of xterm's 256 colours."""
    if n < 16:
        return COLOURS[n]
    if n >= 232:
        return "#%02x%02x%02x" % ((8 + 10 * (n - 232),) * 3)
    n -= 16
    return "#%02x%02x%02x" % tuple(0 if v == 0 else 55 + 40 * v for v in (n // 36, n // 6 % 6, n % 6))


class Screen:
    """A terminal that never scrolls a line away."""

    def __init__(self):
        self.lines, self.row, self.column, self.style = [[]], 0, 0, (None, False, False)

    def feed(self, text):
        for match in TOKEN.finditer(text):
            arguments, command, control, tab, character = match.groups()
            if command:
                self.control(command, arguments)
            elif control == "\n":
                self.row += 1
                while len(self.lines) <= self.row:
                    self.lines.append([])
            elif control == "\r":
                self.column = 0
            elif control == "\b":
                self.column = max(0, self.column - 1)
            elif tab:
                self.column += 8 - self.column % 8
            elif character:
                self.put(character)

    def put(self, character):
        line = self.lines[self.row]
        while len(line) <= self.column:
            line.append((" ", (None, False, False)))
        line[self.column] = (character, self.style)
        self.column += 2 if unicodedata.east_asian_width(character) in "WF" else 1

    def control(self, command, arguments):
        numbers = [int(n) for n in arguments.strip("?").split(";") if n.isdigit()]
        first = numbers[0] if numbers else 0
        if command == "m":
            self.paint(numbers or [0])
        elif command == "A":
            self.row = max(0, self.row - max(1, first))
        elif command == "B":
            self.row = min(len(self.lines) - 1, self.row + max(1, first))
        elif command == "C":
            self.column += max(1, first)
        elif command == "D":
            self.column = max(0, self.column - max(1, first))
        elif command == "G":
            self.column = max(0, first - 1)
        elif command == "K":
            line = self.lines[self.row]
            self.lines[self.row] = line[:self.column] if first == 0 else []
        elif command == "J" and first == 0:
            del self.lines[self.row + 1:]
            self.lines[self.row] = self.lines[self.row][:self.column]

    def paint(self, numbers):
        colour, bold, dim = self.style
        i = 0
        while i < len(numbers):
            n = numbers[i]
            if n == 0:
                colour, bold, dim = None, False, False
            elif n == 1:
                bold = True
            elif n == 2:
                dim = True
            elif n == 22:
                bold = dim = False
            elif 30 <= n <= 37 or 90 <= n <= 97:
                colour = COLOURS[n - 30 if n < 90 else n - 82]
            elif n == 39:
                colour = None
            elif n == 38 and numbers[i + 1:i + 2] == [5]:
                colour, i = colour_256(numbers[i + 2]), i + 2
            elif n == 38 and numbers[i + 1:i + 2] == [2]:
                colour, i = "#%02x%02x%02x" % tuple(numbers[i + 2:i + 5]), i + 4
            i += 1
        self.style = (colour, bold, dim)


def record(command, columns):
    """Runs the command, copies what it shows, and returns that and its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS=str(columns), LINES="40")
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    data = bytearray()
    while True:
        select.select([terminal], [], [])
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        data += chunk
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
    return data.decode("utf-8", "replace"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def spans(line):
    """A line as text in runs of one style."""
    text, style = "", None
    for character, its in line + [("", None)]:
        if its != style:
            if text:
                colour, bold, dim = style
                attributes = f' fill="{colour}"' if colour else ""
                attributes += ' font-weight="bold"' if bold else ""
                attributes += ' opacity="0.6"' if dim else ""
                yield f"<tspan{attributes}>{html.escape(text)}</tspan>"
            text, style = "", its
        text += character


def draw(title, lines, columns):
    """Lines as an SVG in the look of a terminal window."""
    width, height = columns * 8.4 + 32, len(lines) * 18 + 58
    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" viewBox="0 0 {width:.0f} {height}" role="img">'
    yield f"<title>{html.escape(title)}</title>"
    yield f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>'
    for i, fill in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        yield f'<circle cx="{20 + 18 * i}" cy="18" r="6" fill="{fill}"/>'
    yield f'<g font-family="ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="14" fill="{FOREGROUND}" xml:space="preserve">'
    for i, line in enumerate(lines):
        yield f'<text x="16" y="{52 + 18 * i}">{"".join(spans(line))}</text>'
    yield "</g></svg>"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--head", type=int, default=14, help="lines shown of the beginning")
    parser.add_argument("--tail", type=int, default=30, help="lines shown of the end")
    parser.add_argument("--prompt", help="what the first line shows as typed; by default the command")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("name a command after --")
    text, code = record(command, options.columns)
    screen = Screen()
    screen.feed(f"\x1b[92m$\x1b[0m {options.prompt or ' '.join(command)}\r\n{text}")
    lines = screen.lines
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) > options.head + options.tail + 1:
        gap = [(c, (None, False, True)) for c in f"… {len(lines) - options.head - options.tail} lines …"]
        lines = lines[:options.head] + [gap] + lines[-options.tail:]
    os.makedirs(os.path.dirname(os.path.abspath(options.out)), exist_ok=True)
    with open(options.out, "w", encoding="utf-8") as file:
        file.write("\n".join(draw(options.prompt or " ".join(command), lines, options.columns)) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
