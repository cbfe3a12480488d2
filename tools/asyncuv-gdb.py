# SPDX-License-Identifier: MIT
"""The tasks of a program that uses asyncuv, for gdb: of a live process, and of a core.

    (gdb) source tools/asyncuv-gdb.py
    (gdb) auv tasks            lists the tasks of all loops, and what each of them waits for
    (gdb) auv bt 'Task-3'      backtrace of a task, by name or by the address that `auv tasks` gives
    (gdb) auv bt all           and of all of them
    (gdb) auv core FILE        writes a core, as generate-core-file does, but with the tasks' stacks in it

It needs the library's debug information, and nothing of the process: no function is called in it,
and nothing in it is changed. A core may be the kernel's; gdb's own generate-core-file stops at the
first guard between two stacks, and loses what lies behind.

The backtrace of a task that is suspended is that of a frame that does not exist: an unwinder tells
gdb that the newest frame of the current thread was called from where the task has left its stack,
and then gdb finds the rest by itself.
"""

import re
import struct

import gdb
import gdb.unwinder


def pointer_at(address):
    return int(gdb.Value(address).cast(gdb.lookup_type('unsigned long').pointer()).dereference())


def function_at(pc):
    """The name of the function that an address lies in."""
    block = gdb.block_for_pc(pc)
    while block is not None and block.function is None:
        block = block.superblock
    if block is not None:
        return block.function.name
    symbol = gdb.execute(f'info symbol {pc:#x}', to_string=True)
    return hex(pc) if symbol.startswith('No symbol') else symbol.split()[0]


def place_of(pc):
    """Function, file and line of an instruction, as far as they are known."""
    line = gdb.find_pc_line(pc)
    where = f' at {line.symtab.filename}:{line.line}' if line.symtab is not None else ''
    return f'{function_at(pc)}(){where}'


def container_of(pointer, kind, member):
    container = gdb.lookup_type(kind)
    offset = next(field.bitpos // 8 for field in container.fields() if field.name == member)
    return gdb.Value(int(pointer) - offset).cast(container.pointer())


# ORDER CONTEXT: what the switches leave on a stack, as lib/coro/switch_*.S describe it: where each
# register stands, in words. The stack pointer, with the number of words behind it, is what it was before.
LAYOUTS = {
    'i386:x86-64': (8, 'rsp', {'rip': 7, 'rbp': 6, 'rbx': 5, 'r12': 4, 'r13': 3, 'r14': 2, 'r15': 1}),
    'aarch64': (22, 'sp', {'pc': 1, 'x30': 1, 'x29': 0, **{f'x{19 + i}': 2 + i for i in range(10)}}),
}
# The same for glibc's ucontext_t.
UCONTEXT = {
    'i386:x86-64': {'rip': 21, 'rsp': 20, 'rbp': 15, 'rbx': 16, 'r12': 9, 'r13': 10, 'r14': 11, 'r15': 12},
}


def switches_by_ucontext():
    line = gdb.find_pc_line(int(gdb.parse_and_eval('(unsigned long)&auv__switch_in')))
    return line.symtab is not None and line.symtab.filename.endswith('switch_ucontext.c')


def saved_registers(context):
    """The registers of a suspended coroutine: name to value; None where the ABI is not known."""
    abi = gdb.selected_inferior().architecture().name()
    if switches_by_ucontext():
        places = UCONTEXT.get(abi)
        return places and {name: pointer_at(context + 8 * at) for name, at in places.items()}
    if abi not in LAYOUTS:
        return None
    size, stack_pointer, places = LAYOUTS[abi]
    registers = {name: pointer_at(context + 8 * at) for name, at in places.items()}
    registers[stack_pointer] = context + 8 * size
    return registers


class Task:
    def __init__(self, pointer):
        self.task = pointer
        self.address = int(pointer)
        self.coroutine = None
        self.frame = None
        if int(pointer['coro']) and int(pointer['stackless']):
            frame = gdb.Value(self.address + int(pointer['frame_at']))
            self.frame = frame.cast(gdb.lookup_type('auv_frame').pointer())
        elif int(pointer['coro']):
            self.coroutine = pointer['coro'].cast(gdb.lookup_type('struct stackful').pointer())

    @property
    def name(self):
        if int(self.task['has_extras']) and int(self.task['extras']['name']):
            return self.task['extras']['name'].string()
        return f'Task-{self.order[0]}'

    @property
    def order(self):
        """Those that were made first come first."""
        if int(self.task['has_extras']):
            return int(self.task['extras']['number']), int(self.task['extras']['order'])
        return int(self.task['number']), (1 << 64) - 1

    @property
    def is_pending(self):
        return int(self.task['future']['object']['refs']) and not int(self.task['future']['object']['state'])

    @property
    def is_suspended(self):
        if self.frame is not None:
            return int(self.frame['error']) > 0
        return self.coroutine is not None and int(self.coroutine['state']) == 0

    @property
    def is_started(self):
        return bool(self.task['started'])

    @property
    def is_lost(self):
        """Whether the stack, and what lies on it, is not in the core."""
        return self.coroutine is not None and not int(self.coroutine['fn'])

    def memory(self):
        """The part of the stack that is in use, as (begin, end)."""
        stack = self.coroutine['stack']
        low = int(self.coroutine['other']) if self.is_suspended else int(stack['low'])
        return low, int(stack) + stack.dereference().type.sizeof

    def function(self):
        if self.frame is not None:
            return place_of(int(self.task['fn']))
        return 'no function' if self.coroutine is None else place_of(int(self.coroutine['fn']))

    def state(self):
        if self.coroutine is None and self.frame is None:
            return 'done'
        if self.is_lost:
            return 'with a stack that is not in this core; see `help auv core`'
        if not self.is_suspended:
            return 'running'
        if not self.is_started:
            return 'not started'
        rest = int(self.task['rest'])
        for name, what in [('AUV__SLEEPING', 'sleeps'), ('AUV__EXPECTING', 'waits for I/O')]:
            if rest == int(gdb.parse_and_eval(f'(int){name}')):
                return what
        if rest != 0:
            return 'ready'
        awaited = self.task['wait']['future']
        if not int(awaited) or int(awaited['object']['state']):
            return 'ready'
        kind = int(awaited['object']['kind'])
        for kind_name, what in [('AUV__TASK', 'task'), ('AUV__GATHER', 'gather'), ('AUV__SHIELD', 'shield')]:
            if kind == int(gdb.parse_and_eval(f'(int){kind_name}')):
                if what == 'task':
                    return f"awaits task '{Task(container_of(awaited, 'struct auv__task', 'future')).name}'"
                return f'awaits {what} {int(awaited):#x}'
        return f'awaits future {int(awaited):#x}'

    def site(self):
        """Where the await returns to that it is in; None where it is in none."""
        site = 0
        if self.coroutine is not None:
            site = int(self.coroutine['coro']['notes']['site'])
        elif self.frame is not None and int(self.frame['error']) > 1:
            site = int(self.task['fn']) + int(self.frame['error']) - (1 << 30)
        return place_of(site - 1) if site and self.is_suspended and self.is_started else None

    def print_line(self):
        print(f"* {self.address:#x} '{self.name}', {self.state()}")
        if self.is_lost:
            return
        print(f'      runs  {self.function()}')
        if self.site():
            print(f'      waits {self.site()}')


def blocks(pool):
    """The blocks of a pool, as lib/base/pool.c has them, with those that are free."""
    lone = pool['lone']['next']
    while int(lone) != int(pool['lone'].address):
        if int(lone['before']) < 1 << 63:
            yield int(lone + 1) + int(lone['before'])
        lone = lone['next']
    slab = pool['slabs']
    while int(slab):
        head = (slab.dereference().type.sizeof + 15) // 16 * 16
        for i in range(int(slab['n_taken'])):
            yield int(slab) + head + i * int(slab['size'])
        slab = slab['next_of_all']


def all_tasks():
    """The pending tasks of each loop that is not closed, as (loop, tasks)."""
    try:
        loop = gdb.parse_and_eval('auv__loops')
        gdb.lookup_type('struct auv__tasks')
    except gdb.error as error:
        raise gdb.GdbError(f'no debug information of asyncuv: {error}') from error
    while int(loop):
        tasks = []
        if int(loop['tenant']):
            pool = container_of(loop['tenant'], 'struct auv__tasks', 'tenant')['pool']
            kind = gdb.lookup_type('struct auv__task').pointer()
            tasks = [Task(gdb.Value(block).cast(kind)) for block in blocks(pool)]
        yield loop, sorted((task for task in tasks if task.is_pending), key=lambda task: task.order)
        loop = loop['next_open']


class FrameId:
    def __init__(self, stack_pointer, pc):
        self.sp = stack_pointer
        self.pc = pc


class Unwinder(gdb.unwinder.Unwinder):
    """While there are registers: they are those of what called the newest frame."""

    def __init__(self):
        super().__init__('asyncuv')
        self.registers = None

    def __call__(self, frame):
        if self.registers is None or frame.level() != 0:
            return None
        word = gdb.lookup_type('unsigned long')
        stack_pointer = self.registers.get('rsp', self.registers.get('sp'))
        # gdb wants each frame to lie deeper than the one that called it.
        frame_id = FrameId(gdb.Value(stack_pointer - 16).cast(word), gdb.Value(0).cast(word))
        info = frame.create_unwind_info(frame_id)
        for name, value in self.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(word))
        return info


unwinder = Unwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


def backtrace_from(registers):
    """The lines of gdb's backtrace, without the frame that does not exist."""
    selected = gdb.selected_frame()
    thread = gdb.selected_thread()
    unwinder.registers = registers
    gdb.invalidate_cached_frames()
    try:
        gdb.newest_frame().select()
        with gdb.with_parameter('width', 0):
            text = gdb.execute('backtrace', to_string=True)
    finally:
        unwinder.registers = None
        gdb.invalidate_cached_frames()
        thread.switch()
        if selected.is_valid():
            selected.select()
    lines = text.splitlines()
    second = next((i for i, line in enumerate(lines) if line.startswith('#1 ')), len(lines))
    return [re.sub(r'^#(\d+) *', lambda match: f'#{int(match[1]) - 1:<3}', line) for line in lines[second:]]


class Command(gdb.Command):
    """The tasks of asyncuv: `auv tasks`, `auv bt`."""

    def __init__(self):
        super().__init__('auv', gdb.COMMAND_STACK, prefix=True)


class Tasks(gdb.Command):
    """List the tasks of all loops: `auv tasks`."""

    def __init__(self):
        super().__init__('auv tasks', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        n = 0
        for loop, tasks in all_tasks():
            n += 1
            print(f'loop {int(loop):#x}, {len(tasks)} tasks')
            for task in tasks:
                task.print_line()
        if n == 0:
            print('no loop is open')


class Backtrace(gdb.Command):
    """Print the backtrace of a suspended task: `auv bt NAME`, `auv bt ADDRESS`, `auv bt all`."""

    def __init__(self):
        super().__init__('auv bt', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted = argument.strip().strip('\'"')
        if not wanted:
            raise gdb.GdbError('which task? its name, its address, or "all"')
        n = 0
        for _, tasks in all_tasks():
            for task in tasks:
                if wanted in ('all', task.name, hex(task.address)):
                    n += 1
                    self.print_task(task)
        if n == 0:
            raise gdb.GdbError(f'there is no task {wanted}')

    def print_task(self, task):
        print(f"Task {task.address:#x} '{task.name}', {task.state()}:")
        if task.is_lost:
            return
        if task.frame is not None and task.is_suspended:
            print(f'    it has no stack, and waits {task.site()}')
            return
        if task.coroutine is None or not task.is_suspended:
            print('    it is on the stack of its thread')
            return
        registers = saved_registers(int(task.coroutine['other']))
        if registers is None:
            print('    the layout of suspended stacks is not known for this processor')
            return
        print('\n'.join(backtrace_from(registers)))


class Core(gdb.Command):
    """Write a core of a live process with the stacks of its tasks: `auv core FILE`."""

    def __init__(self):
        super().__init__('auv core', gdb.COMMAND_FILES, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError('into which file?')
        gdb.execute(f'generate-core-file {argument}')
        process = gdb.selected_inferior()
        with open(argument, 'r+b') as core:
            segments = list(self.segments(core))
            for _, tasks in all_tasks():
                for task in tasks:
                    if task.coroutine is not None:
                        self.write(core, segments, process, *task.memory())

    @staticmethod
    def segments(core):
        """What of the memory is in the file, as (begin, end, place in the file)."""
        header = core.read(64)
        start, size, n = *struct.unpack_from('<Q', header, 32), *struct.unpack_from('<HH', header, 54)
        for i in range(n):
            core.seek(start + i * size)
            kind, _, place, begin, _, length = struct.unpack_from('<IIQQQQ', core.read(size))
            if kind == 1:  # PT_LOAD
                yield begin, begin + length, place

    @staticmethod
    def write(core, segments, process, low, high):
        for begin, end, place in segments:
            if begin <= low and high <= end:
                core.seek(place + low - begin)
                core.write(process.read_memory(low, high - low))


Command()
Tasks()
Backtrace()
Core()
