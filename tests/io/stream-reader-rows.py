#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write stream-reader-rows.h: what CPython's StreamReader does with random feeds and reads.

usage: stream-reader-rows.py [N [SEED]] > stream-reader-rows.h      with CPython 3.14

A script is a list of words: fDATA, e and x feed data, the end, and an exception; rN, r* (all), l, nN and
uSEPARATOR,SEPARATOR... start a task that reads; c cancels the oldest task that has not ended; t is a turn of
the loop. A "/" stands for a newline. A trace has NUMBER=DATA or NUMBER!ERROR for each task that ends, P
and R where the transport was paused and resumed, and at last how much is in the buffer, whether it is at
its end, and a dot.
"""

import asyncio
import random
import sys
from asyncio import events


class NoSelector:
    def select(self, timeout):
        return []


class Loop(asyncio.base_events.BaseEventLoop):
    def __init__(self):
        super().__init__()
        self._selector = NoSelector()

    def _process_events(self, event_list):
        pass

    def turn(self):
        self.call_soon(self.stop)
        self.run_forever()


class Transport:
    paused = False

    def pause_reading(self):
        self.paused = True

    def resume_reading(self):
        self.paused = False


class Fed(Exception):
    pass


def text(data):
    return bytes(data).decode().replace("\n", "/")


def code(text):
    return text.replace("/", "\n").encode()


def describe(error):
    match error:
        case asyncio.CancelledError():
            return "cancelled"
        case Fed():
            return "fed"
        case asyncio.IncompleteReadError():
            return f"incomplete:{text(error.partial)}:{error.expected or 0}"
        case asyncio.LimitOverrunError():
            return f"overrun:{error.consumed}:{'no' if 'not found' in str(error) else 'far'}"
        case ValueError():
            return f"value:{'no' if 'not found' in str(error) else 'far'}"
        case RuntimeError():
            return f"busy:{str(error).split('(')[0]}"
    raise error


class Odd(Exception):
    """A row where asyncuv differs on purpose: what one task was woken for another has taken."""


class Machine:
    def __init__(self, limit):
        self.loop = Loop()
        self.reader = asyncio.StreamReader(limit=limit, loop=self.loop)
        self.transport = Transport()
        self.reader.set_transport(self.transport)
        self.tasks = []
        self.trace = []
        self.paused = False

    async def run(self, number, word):
        reader = self.reader
        try:
            match word[0]:
                case "r":
                    data = await reader.read(-1 if word == "r*" else int(word[1:]))
                case "l":
                    data = await reader.readline()
                case "n":
                    data = await reader.readexactly(int(word[1:]))
                case "u":
                    separators = tuple(code(s) for s in word[1:].split(","))
                    data = await reader.readuntil(separators)
        except BaseException as e:
            self.trace.append(f"{number}!{describe(e)}")
            took = isinstance(e, (ValueError, asyncio.IncompleteReadError))
        else:
            self.trace.append(f"{number}={text(data)}")
            took = bool(data)
        others = [w for n, (w, t) in enumerate(self.tasks) if n != number and not t.done()]
        if took and any(w[0] in "lu" or w == "r*" for w in others):
            raise Odd

    def do(self, word):
        match word[0]:
            case "f":
                self.reader.feed_data(code(word[1:]))
            case "e":
                self.reader.feed_eof()
            case "x":
                self.reader.set_exception(Fed())
            case "c":
                waiting = [(w, t) for w, t in self.tasks if not t.done()]
                if waiting:
                    if waiting[0][0] == "r*":
                        raise Odd
                    waiting[0][1].cancel()
            case "t":
                self.loop.turn()
            case _:
                if word == "r*" and any(not t.done() for w, t in self.tasks):
                    raise Odd
                task = self.loop.create_task(self.run(len(self.tasks), word))
                self.tasks.append((word, task))
                self.loop.turn()
        for _, task in self.tasks:
            if task.done():
                task.result()
        if self.transport.paused != self.paused:
            self.paused = self.transport.paused
            self.trace.append("P" if self.paused else "R")

    def end(self):
        self.trace.append(str(len(self.reader._buffer)))
        if self.reader.at_eof():
            self.trace.append("eof")
        self.trace.append(".")
        for _, task in self.tasks:
            task.cancel()
        self.loop.turn()
        self.loop.turn()
        self.loop.close()


def random_data(limit):
    return "".join(random.choice("aaab;;/") for _ in range(random.randint(0, 2 * limit)))


def random_word(limit):
    kind = random.choices("fexrlnuct", [20, 1, 0.3, 6, 4, 4, 7, 3, 14])[0]
    match kind:
        case "f":
            return "f" + random_data(limit)
        case "r":
            return random.choice(["r*", "r0", f"r{random.randint(1, limit)}", f"r{3 * limit}"])
        case "n":
            return f"n{random.choice([0, random.randint(1, limit), random.randint(1, 4 * limit)])}"
        case "u":
            n = random.choice([1, 1, 2, 3])
            return "u" + ",".join(random.choice([";", "/", "b;", ";;", "a/", "ab;", "aa;/"]) for _ in range(n))
    return kind


def row():
    limit = random.choice([1, 2, 3, 4, 5, 8, 12])
    machine = Machine(limit)
    words, ended = [], False
    try:
        for _ in range(random.randint(5, 30)):
            word = random_word(limit)
            if ended and word[0] == "f":
                continue
            ended = ended or word == "e"
            words.append(word)
            machine.do(word)
    except Odd:
        words = None
    machine.end()
    return words and (limit, words, machine.trace)


def literal(words):
    """The lines of a string of words."""
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > 80:
            lines.append(line)
            line = ""
        line += word + " "
    lines.append(line.rstrip())
    return lines


def write(limit, words, trace):
    script = "\n                  ".join(f'"{line}"' for line in literal(words))
    result = "\n                  ".join(f'"{line}"' for line in literal(trace))
    print(f"        {{ .limit = {limit},\n          .script = {script},\n          .trace = {result} }},")


def main(n=120, seed=1):
    random.seed(int(seed))
    events._set_running_loop(None)
    print("/* SPDX-License-Identifier: MIT */")
    print("/* Written by stream-reader-rows.py, which says what the words mean. */")
    n = int(n)
    while n > 0:
        if made := row():
            write(*made)
            n -= 1


main(*sys.argv[1:])
