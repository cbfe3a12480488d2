/* SPDX-License-Identifier: MIT */

/*
 * Symbols
 *
 * What libdw reads of a process holds files open, so it goes when nobody needs it any more, though to
 * read it takes milliseconds. What was found stays: the same addresses are asked for again and again.
 * (Where a module was unloaded and another one took its place, that is wrong until it has been pushed
 * out.) All of it is for one thread at a time.
 *
 * libdw would look for symbols in the network where DEBUGINFOD_URLS is set; no report is worth
 * waiting for that. It is then kept from looking for symbols anywhere but in the modules.
 */

#include "debug/symbols.h"

#include "coro/switch.h"
#include "debug/libdw.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef AUV__HAVE_LIBDW

enum { CACHE_SIZE = 256 };

#define MEMBER(type, name, parameters) type(*name) parameters;
static struct {
        AUV__LIBDW_FUNCTIONS(MEMBER)
} libdw;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static enum { UNTRIED, MISSING, READY } state;
static unsigned n_users; /* between auv__symbols_enter() and auv__symbols_leave() */
static Dwfl *dwfl;       /* NULL until one of them needs it */
static Dwfl_Callbacks callbacks;
static struct auv__symbol cache[CACHE_SIZE];

/* What is unwound: one at a time, under the mutex. */
static struct {
        const void *context;
        const char *low;
        const char *high;
        const void *bottom;
        const void **frames;
        size_t n;
        size_t room;
} walk;

static int find_no_debuginfo(Dwfl_Module *module, void **userdata, const char *name, uint64_t base,
                             const char *file, const char *debuglink, uint32_t crc, char **ret_file)
{
        return -1;
}

static bool find_libdw(void)
{
        const char *urls = secure_getenv("DEBUGINFOD_URLS");
        void *handle = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);

        if (!handle)
                return false;
#define FIND(type, name, parameters)                            \
        *(void **)&libdw.name = dlsym(handle, #name);           \
        if (!libdw.name)                                        \
                return false;
        AUV__LIBDW_FUNCTIONS(FIND)
        *(void **)&callbacks.find_elf = dlsym(handle, "dwfl_linux_proc_find_elf");
        *(void **)&callbacks.find_debuginfo = dlsym(handle, "dwfl_standard_find_debuginfo");
        if (urls && *urls)
                callbacks.find_debuginfo = find_no_debuginfo;
        return callbacks.find_elf && callbacks.find_debuginfo;
}

static pid_t next_thread(Dwfl *of, void *arg, void **thread_arg)
{
        if (*thread_arg)
                return 0;
        *thread_arg = &walk;
        return getpid();
}

static bool get_thread(Dwfl *of, pid_t tid, void *arg, void **thread_arg)
{
        *thread_arg = &walk;
        return true;
}

/* Nothing but the coroutine's own stack, whatever the registers say. */
__attribute__((no_sanitize("address", "thread"))) static bool read_stack(Dwfl *of, uint64_t address,
                                                                         uint64_t *ret, void *arg)
{
        if (address < (uintptr_t)walk.low || address > (uintptr_t)walk.high - sizeof(uintptr_t)
            || address % sizeof(uintptr_t) != 0)
                return false;
        *ret = *(const volatile uintptr_t *)(uintptr_t)address;
        return true;
}

static bool set_registers(Dwfl_Thread *thread, void *thread_arg)
{
        struct auv__registers registers;
        uint64_t values[sizeof(registers.values) / sizeof(registers.values[0])];

        if (!auv__switch_registers(walk.context, &registers))
                return false;
        for (unsigned i = 0; i < registers.n; i++)
                values[i] = registers.values[i];
        if (!libdw.dwfl_thread_state_registers(thread, 0, registers.n, values))
                return false;
        libdw.dwfl_thread_state_register_pc(thread, registers.pc);
        return true;
}

static const Dwfl_Thread_Callbacks thread_callbacks = { .next_thread = next_thread,
                                                        .get_thread = get_thread,
                                                        .memory_read = read_stack,
                                                        .set_initial_registers = set_registers };

static void read_modules(void)
{
        dwfl = libdw.dwfl_begin(&callbacks);
        if (!dwfl)
                return;
        if (libdw.dwfl_linux_proc_report(dwfl, getpid()) != 0
            || libdw.dwfl_report_end(dwfl, NULL, NULL) != 0) {
                libdw.dwfl_end(dwfl);
                dwfl = NULL;
                return;
        }
        libdw.dwfl_attach_state(dwfl, NULL, getpid(), &thread_callbacks, NULL);
}

static bool get_ready(void)
{
        if (state == UNTRIED)
                state = find_libdw() ? READY : MISSING;
        if (state == READY && !dwfl && n_users > 0)
                read_modules();
        return dwfl;
}

void auv__symbols_enter(void)
{
        pthread_mutex_lock(&mutex);
        n_users++;
        pthread_mutex_unlock(&mutex);
}

void auv__symbols_leave(void)
{
        pthread_mutex_lock(&mutex);
        if (--n_users == 0 && dwfl) {
                libdw.dwfl_end(dwfl);
                dwfl = NULL;
        }
        pthread_mutex_unlock(&mutex);
}

static void copy(char *to, size_t size, const char *from)
{
        snprintf(to, size, "%s", from ? from : "");
}

/* clang leaves out the table of the addresses that each unit has: so look at all units. */
static void find_line_by_units(Dwfl_Module *module, uintptr_t address, struct auv__symbol *symbol)
{
        Dwarf_Die *unit = NULL;
        Dwarf_Line *line;
        uint64_t bias;

        while ((unit = libdw.dwfl_module_nextcu(module, unit, &bias))) {
                if (libdw.dwarf_haspc(unit, address - bias) <= 0)
                        continue;
                line = libdw.dwarf_getsrc_die(unit, address - bias);
                if (line && libdw.dwarf_lineno(line, &symbol->line) == 0)
                        copy(symbol->file, sizeof(symbol->file), libdw.dwarf_linesrc(line, NULL, NULL));
                return;
        }
}

static void find_line(Dwfl_Module *module, uintptr_t address, struct auv__symbol *symbol)
{
        Dwfl_Line *line = libdw.dwfl_module_getsrc(module, address);

        if (line)
                copy(symbol->file, sizeof(symbol->file),
                     libdw.dwfl_lineinfo(line, NULL, &symbol->line, NULL, NULL, NULL));
        else
                find_line_by_units(module, address, symbol);
}

static void look_up(uintptr_t address, struct auv__symbol *symbol)
{
        Dwfl_Module *module = libdw.dwfl_addrmodule(dwfl, address);
        const char *name;
        Elf64_Sym unused;
        uint64_t offset;

        if (!module)
                return;
        name = libdw.dwfl_module_addrinfo(module, address, &offset, &unused, NULL, NULL, NULL);
        if (name) {
                copy(symbol->name, sizeof(symbol->name), name);
                symbol->start = (const void *)(address - offset);
        }
        find_line(module, address, symbol);
}

/* With the mutex. NULL where it is not known, and there is no libdw to ask. */
static const struct auv__symbol *find_cached(const void *address)
{
        struct auv__symbol *symbol = &cache[((uintptr_t)address >> 1) % CACHE_SIZE];

        if (symbol->address != address) {
                if (!get_ready())
                        return NULL;
                *symbol = (struct auv__symbol) { .address = address };
                look_up((uintptr_t)address, symbol);
        }
        return symbol;
}

static bool find_by_libdw(const void *address, struct auv__symbol *ret)
{
        const struct auv__symbol *symbol;

        pthread_mutex_lock(&mutex);
        symbol = find_cached(address);
        if (symbol)
                *ret = *symbol;
        pthread_mutex_unlock(&mutex);
        return symbol && ret->name[0];
}

static int on_frame(Dwfl_Frame *frame, void *arg)
{
        const char *pc;
        uint64_t value;
        bool is_activation;

        if (walk.n == walk.room || !libdw.dwfl_frame_pc(frame, &value, &is_activation))
                return 1;
        pc = (const char *)(uintptr_t)value;
        if (find_cached(pc - 1)->start == walk.bottom)
                return 1;
        walk.frames[walk.n++] = pc;
        return 0;
}

size_t auv__symbol_unwind(const void *context, const char *low, const char *high, const void *bottom,
                          const void **ret_frames, size_t n)
{
        size_t found = 0;

        pthread_mutex_lock(&mutex);
        if (get_ready()) {
                walk.context = context;
                walk.low = low;
                walk.high = high;
                walk.bottom = bottom;
                walk.frames = ret_frames;
                walk.room = n;
                walk.n = 0;
                libdw.dwfl_getthread_frames(dwfl, getpid(), on_frame, NULL);
                found = walk.n;
        }
        pthread_mutex_unlock(&mutex);
        return found;
}

#else

void auv__symbols_enter(void)
{
}

void auv__symbols_leave(void)
{
}

static bool find_by_libdw(const void *address, struct auv__symbol *ret)
{
        return false;
}

size_t auv__symbol_unwind(const void *context, const char *low, const char *high, const void *bottom,
                          const void **ret_frames, size_t n)
{
        return 0;
}

#endif

void auv__symbol_find(const void *address, struct auv__symbol *ret)
{
        Dl_info info;

        if (find_by_libdw(address, ret))
                return;
        *ret = (struct auv__symbol) { .address = address };
        /* The nearest exported function may not be the one that is meant: the offset tells. */
        if (dladdr(address, &info) && info.dli_sname) {
                const size_t offset = (size_t)((const char *)address - (const char *)info.dli_saddr);

                ret->start = info.dli_saddr;
                snprintf(ret->name, sizeof(ret->name), offset ? "%s+0x%zx" : "%s", info.dli_sname, offset);
        }
}
