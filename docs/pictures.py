"""Makes the pictures of the README: what a terminal shows when its blocks are pasted, as SVG.

    cargo build --features verify && python3 docs/pictures.py target/debug/standin

Nothing is made up: a shell in a terminal runs the commands with the program that is named, and what it prints is drawn
as it came, but for long outputs, of which a grey line says how much is left out.
"""

import fcntl
import html
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios

HERE = pathlib.Path(__file__).parent
COLUMNS = 110
PROMPT = "$ "
# So much of an output is shown: its first lines, and the last one.
MOST_LINES = 4

# Of one character, in the picture's own units.
WIDTH, HEIGHT, MARGIN = 8, 19, 16
COLOURS = {"": "#d8dee9", "1": "#ffffff", "31": "#f28b82", "32": "#9ece6a", "33": "#e6c07b", "34": "#7aa2f7", "35": "#c792ea", "36": "#7fd1d8", "2": "#8a93a6"}


def main(program):
    readme = (HERE.parent / "README.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(pathlib.Path(program).absolute(), pathlib.Path(folder, "standin"))
        with Terminal(folder) as terminal:
            first = [block(readme, "serve"), block(readme, "first-call"), block(readme, "refused-call")]
            first = [terminal.paste(commands) for commands in first]
            first.append(terminal.paste(block(readme, "look").split("\n", 1)[0]))
            draw(HERE / "first-minute.svg", [line for lines in first for line in lines])
            terminal.most_lines = 30
            draw(HERE / "verify.svg", terminal.paste(block(readme, "verify")))


def block(text, name):
    """The commands of the block that is called so, after its language."""
    return re.search(rf"^```\w+ {name}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL).group(1)


class Terminal:
    """A shell in a terminal, in `folder`."""

    def __init__(self, folder):
        self.most_lines = MOST_LINES
        shell, self.end = pty.openpty()[::-1]
        fcntl.ioctl(shell, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        # The commands are written by `paste`, so that they stand before what they print.
        settings = termios.tcgetattr(shell)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(shell, termios.TCSANOW, settings)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STANDIN_")}
        environment |= {"PATH": f"{folder}:{os.environ['PATH']}", "PS1": "\x01", "PS2": "", "TERM": "xterm-256color", "NO_PROXY": "*"}
        environment.pop("NO_COLOR", None)
        command = ["bash", "--norc", "--noprofile", "--noediting", "-i", "+m"]
        self.process = subprocess.Popen(
            command, stdin=shell, stdout=shell, stderr=shell, cwd=folder, env=environment, start_new_session=True
        )
        os.close(shell)
        self.until_prompt()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.write(self.end, b"standin stop\nexit\n")
        self.process.wait(timeout=20)
        os.close(self.end)

    def paste(self, commands):
        """The lines that the terminal shows, as lists of (colour, text)."""
        lines = []
        for command in re.split(r"(?<!\\)\n", commands.strip()):
            for number, part in enumerate(command.split("\n")):
                lines.append([("1", (PROMPT if number == 0 else "> ") + part)])
            os.write(self.end, f"{command}\n".encode())
            shown = [piece for line in self.until_prompt() for piece in broken(line)]
            if len(shown) > self.most_lines:
                rest = len(shown) - self.most_lines
                shown[self.most_lines - 1 : -1] = [[("2", f"… {rest} more lines")]]
            lines += shown
        return lines

    def until_prompt(self):
        said = b""
        while True:
            # A server in the background may have its say after the prompt.
            ready, _, _ = select.select([self.end], [], [], 0.3 if b"\x01" in said else 60)
            if not ready:
                break
            said += os.read(self.end, 65536)
        if b"\x01" not in said:
            raise SystemExit(f"the command did not end: {said.decode()}")
        text = said.decode().replace("\x01", "").replace("\r\n", "\n").rstrip("\n")
        # A job that is started has a line of its own, with a process's number.
        return [coloured(line) for line in text.split("\n") if text and not re.fullmatch(r"\[\d+\] \d+", line)]


def coloured(line):
    """A line with escape sequences, as a list of (colour, text)."""
    pieces, colour = [], ""
    for code, text in re.findall(r"(?:\x1b\[([0-9;]*)m)?([^\x1b]*)", line):
        if code:
            colour = next((part for part in reversed(code.split(";")) if part in COLOURS), "")
        if text:
            pieces.append((colour, text))
    return pieces


def broken(pieces):
    """A line as the terminal breaks it, at its width."""
    lines, room = [[]], COLUMNS
    for colour, text in pieces:
        while text:
            if room == 0:
                lines.append([])
                room = COLUMNS
            lines[-1].append((colour, text[:room]))
            room, text = max(room - len(text), 0), text[room:]
    return lines


def draw(path, lines):
    width, height = COLUMNS * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="13">',
        f'<rect width="{width}" height="{height}" rx="8" fill="#1b1f2a"/>',
    ]
    for row, line in enumerate(lines):
        x, y = MARGIN, MARGIN + row * HEIGHT + 14
        for colour, text in line:
            # Whatever font there is, each character has its column.
            length = len(text) * WIDTH
            bold = ' font-weight="bold"' if colour == "1" else ""
            escaped = html.escape(text, quote=False)
            out.append(
                f'<text x="{x}" y="{y}" fill="{COLOURS[colour]}" textLength="{length}" xml:space="preserve"{bold}>{escaped}</text>'
            )
            x += length
    path.write_text("\n".join([*out, "</svg>", ""]), encoding="utf-8")
    print(f"{path}: {len(lines)} lines")


main(*sys.argv[1:])
