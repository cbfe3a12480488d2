/* SPDX-License-Identifier: MIT */
#ifndef AUV_DEBUG_LIBDW_H
#define AUV_DEBUG_LIBDW_H

/*
 * The little of elfutils' libdw that is used here. The library is looked for when somebody asks
 * for a file and line, so that no program has to have it; and its headers are not needed, either,
 * because its interface is kept.
 */

#if defined(__has_include)
#if __has_include(<elf.h>) && __has_include(<link.h>)
#define AUV__HAVE_LIBDW 1
#endif
#endif

#ifdef AUV__HAVE_LIBDW

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Dwfl Dwfl;
typedef struct Dwfl_Module Dwfl_Module;
typedef struct Dwfl_Line Dwfl_Line;
typedef struct Dwarf_Die Dwarf_Die;
typedef struct Dwarf_Line Dwarf_Line;
typedef struct Dwfl_Thread Dwfl_Thread;
typedef struct Dwfl_Frame Dwfl_Frame;

typedef struct {
        int (*find_elf)(Dwfl_Module *module, void **userdata, const char *name, uint64_t base,
                        char **ret_file, void **ret_elf);
        int (*find_debuginfo)(Dwfl_Module *module, void **userdata, const char *name, uint64_t base,
                              const char *file, const char *debuglink, uint32_t crc, char **ret_file);
        int (*section_address)(Dwfl_Module *module, void **userdata, const char *name, uint64_t base,
                               const char *section, uint32_t index, const void *header, uint64_t *ret);
        char **debuginfo_path;
} Dwfl_Callbacks;

typedef struct {
        pid_t (*next_thread)(Dwfl *dwfl, void *arg, void **thread_arg);
        bool (*get_thread)(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg);
        bool (*memory_read)(Dwfl *dwfl, uint64_t address, uint64_t *ret, void *arg);
        bool (*set_initial_registers)(Dwfl_Thread *thread, void *thread_arg);
        void (*detach)(Dwfl *dwfl, void *arg);
        void (*thread_detach)(Dwfl_Thread *thread, void *thread_arg);
} Dwfl_Thread_Callbacks;

/* Each is a member of that name of the struct that holds what was found. */
#define AUV__LIBDW_FUNCTIONS(X)                                                                         \
        X(Dwfl *, dwfl_begin, (const Dwfl_Callbacks *callbacks))                                        \
        X(void, dwfl_end, (Dwfl *dwfl))                                                                 \
        X(int, dwfl_linux_proc_report, (Dwfl *dwfl, pid_t pid))                                         \
        X(int, dwfl_report_end, (Dwfl *dwfl, void *removed, void *arg))                                 \
        X(Dwfl_Module *, dwfl_addrmodule, (Dwfl *dwfl, uint64_t address))                               \
        X(const char *, dwfl_module_addrinfo,                                                           \
          (Dwfl_Module *module, uint64_t address, uint64_t *ret_offset, Elf64_Sym *ret_symbol,          \
           uint32_t *ret_index, void **ret_elf, uint64_t *ret_bias))                                    \
        X(Dwfl_Line *, dwfl_module_getsrc, (Dwfl_Module *module, uint64_t address))                     \
        X(Dwarf_Die *, dwfl_module_nextcu, (Dwfl_Module *module, Dwarf_Die *last, uint64_t *ret_bias))  \
        X(int, dwarf_haspc, (Dwarf_Die *die, uint64_t address))                                         \
        X(Dwarf_Line *, dwarf_getsrc_die, (Dwarf_Die *unit, uint64_t address))                          \
        X(const char *, dwarf_linesrc, (Dwarf_Line *line, uint64_t *ret_mtime, uint64_t *ret_length))   \
        X(int, dwarf_lineno, (Dwarf_Line *line, int *ret_line))                                         \
        X(const char *, dwfl_lineinfo,                                                                  \
          (Dwfl_Line *line, uint64_t *ret_address, int *ret_line, int *ret_column, uint64_t *ret_mtime, \
           uint64_t *ret_length))                                                                       \
        X(bool, dwfl_attach_state,                                                                      \
          (Dwfl *dwfl, void *elf, pid_t pid, const Dwfl_Thread_Callbacks *callbacks, void *arg))        \
        X(int, dwfl_getthread_frames,                                                                   \
          (Dwfl *dwfl, pid_t tid, int (*callback)(Dwfl_Frame *frame, void *arg), void *arg))            \
        X(bool, dwfl_thread_state_registers,                                                            \
          (Dwfl_Thread *thread, int first, unsigned n, const uint64_t *values))                         \
        X(void, dwfl_thread_state_register_pc, (Dwfl_Thread *thread, uint64_t pc))                      \
        X(bool, dwfl_frame_pc, (Dwfl_Frame *frame, uint64_t *ret_pc, bool *ret_is_activation))

#endif

#endif
