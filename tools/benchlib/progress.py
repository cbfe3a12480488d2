# SPDX-License-Identifier: MIT
"""A line that says what is being done and how long the rest will take."""

import sys


def duration(seconds):
    seconds = int(seconds + 0.5)
    if seconds < 60:
        return f'{seconds} s'
    return f'{seconds // 60} min {seconds % 60:02} s'


class Progress:
    """On a terminal one line, written over and over; elsewhere a line when the text before the colon changes."""

    def __init__(self, file=sys.stderr):
        self.file = file
        self.is_terminal = file.isatty()
        self.last = None
        self.width = 0

    def show(self, headline, detail, done, left):
        """@done is the part that is done, of 1; @left are seconds."""
        line = f'[{done:4.0%}] {headline}: {detail}, about {duration(left)} left'
        if self.is_terminal:
            self.file.write('\r' + line.ljust(self.width))
            self.width = len(line)
            self.file.flush()
        elif headline != self.last:
            print(line, file=self.file, flush=True)
            self.last = headline

    def note(self, text):
        """Something that is to stay."""
        self.clear()
        print(text, file=self.file, flush=True)

    def clear(self):
        if self.is_terminal and self.width:
            self.file.write('\r' + ' ' * self.width + '\r')
            self.width = 0
