/*
 * pagetrace: a plugin for qemu-user (TCG plugin API, version 1) that writes system calls and touched pages as JSONL, in program order.
 *
 *   cc -O2 -shared -fPIC -o libpagetrace.so pagetrace.c -lpthread
 *   qemu-riscv64 -plugin ./libpagetrace.so,out=recording.jsonl PROGRAM ARGUMENT...
 *   faultline import plugin recording.jsonl -o t.jsonl
 *
 *   out=FILE      is appended to, by the program and all its children (default pagetrace.jsonl)
 *   mode=call     each page once a kind of access between two system calls (default)
 *   mode=image    each page once a kind of access in the life of a program image
 *   paths=off     do not read path arguments
 *
 * Records, one a line:
 *
 *   {"t":"image","pid":N,"target":"riscv64","api":1,"path":"…"}    a program begins: at the start, and after each execve
 *   {"t":"enter","pid":N,"nr":N,"args":["0x…" six times],"path":"…"}
 *   {"t":"exit","pid":N,"nr":N,"ret":N}                            not of exit, exit_group, or an execve that succeeded
 *   {"t":"child","pid":N,"ppid":N}                                 before the child's return from clone
 *   {"t":"touch","pid":N,"page":"0x…","a":"r|w|x"}
 *   {"t":"end","pid":N,"touches":N,"calls":N}
 *
 * What a system call copies is not seen as touches: it is derived from arguments and result on import. Every write to the file is
 * whole lines and at most one buffer, so processes do not mix. Threads of one process share a lock and are told by one pid.
 *
 * qemu's header is not needed: Debian does not package it, and what is used of the interface is declared here. It is stable within
 * version 1 of the API: QEMU 4.2 to 8.x. Debian 12's qemu-user has plugins; Debian 13's and every qemu-user-static have not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* ---- The plugin API, as far as it is used. */

#define EXPORT __attribute__((visibility("default")))
#define WEAK __attribute__((weak))

typedef uint64_t plugin_id;
typedef uint32_t mem_info;
struct block;
struct instruction;
typedef struct {
    const char *target_name;
    struct { int min, cur; } version;
    bool system_emulation;
    union { struct { int smp_vcpus, max_vcpus; } system; };
} plugin_info;

enum { NO_REGISTERS = 0 };
enum { MEM_READ = 1, MEM_WRITE, MEM_READ_WRITE };

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block *));
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct instruction *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_mem_cb(struct instruction *, void (*)(unsigned, mem_info, uint64_t, void *), int, int, void *);
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, void (*)(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                                                    uint64_t, uint64_t, uint64_t, uint64_t));
extern void qemu_plugin_register_vcpu_syscall_ret_cb(plugin_id, void (*)(plugin_id, unsigned, int64_t, int64_t));
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const struct block *);
extern struct instruction *qemu_plugin_tb_get_insn(const struct block *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(const struct instruction *);
extern size_t qemu_plugin_insn_size(const struct instruction *);
extern unsigned qemu_plugin_mem_size_shift(mem_info);
extern bool qemu_plugin_mem_is_store(mem_info);
/* Since QEMU 7.0. */
extern WEAK const char *qemu_plugin_path_to_binary(void);

EXPORT int qemu_plugin_version = 1;

/* ---- Output: whole lines, gathered and written at once. */

enum { BUFFER_BYTES = 1 << 16, LINE_BYTES = 4096, PATH_BYTES = 512, PAGE_SHIFT = 12 };

static int out = -1;
static pid_t self;
static char buffer[BUFFER_BYTES];
static size_t buffered;
static unsigned long touches, calls;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void flush(void)
{
    for (size_t done = 0; done < buffered;) {
        ssize_t count = write(out, buffer + done, buffered - done);
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    buffered = 0;
}

__attribute__((format(printf, 1, 2))) static void print(const char *format, ...)
{
    if (buffered > BUFFER_BYTES - LINE_BYTES)
        flush();
    va_list args;
    va_start(args, format);
    int length = vsnprintf(buffer + buffered, LINE_BYTES, format, args);
    va_end(args);
    if (length > 0)
        buffered += length < LINE_BYTES ? (size_t)length : LINE_BYTES - 1;
}

/* `,"NAME":"TEXT"`; bytes that are no printable ASCII as \u00xx. */
static void print_text(const char *name, const char *text)
{
    char escaped[6 * PATH_BYTES + 1];
    char *to = escaped;
    for (const char *from = text; *from != 0 && from < text + PATH_BYTES; from++) {
        unsigned char byte = (unsigned char)*from;
        if (byte == '"' || byte == '\\') {
            *to++ = '\\';
            *to++ = (char)byte;
        } else if (byte < 32 || byte > 126) {
            to += sprintf(to, "\\u%04x", byte);
        } else {
            *to++ = (char)byte;
        }
    }
    *to = 0;
    print(",\"%s\":\"%s\"", name, escaped);
}

/* ---- Touches: told once for each page and kind in an epoch, which a system call ends. */

static bool is_by_call = true;
static uint32_t epoch = 1;
static uint64_t last_page[3] = { UINT64_MAX, UINT64_MAX, UINT64_MAX };

struct seen { uint64_t key; uint32_t epoch; };
static struct seen *table;
static size_t table_size, table_used;

static size_t slot_of(const struct seen *in, size_t size, uint64_t key)
{
    size_t at = (key * 0x9e3779b97f4a7c15ull) >> 20 & (size - 1);
    while (in[at].key != 0 && in[at].key != key)
        at = (at + 1) & (size - 1);
    return at;
}

static void grow(void)
{
    size_t size = table_size == 0 ? 1 << 14 : table_size * 2;
    struct seen *larger = calloc(size, sizeof *larger);
    if (larger == NULL)
        abort();
    for (size_t i = 0; i < table_size; i++)
        if (table[i].key != 0)
            larger[slot_of(larger, size, table[i].key)] = table[i];
    free(table);
    table = larger;
    table_size = size;
}

static void forget_pages(void)
{
    for (int kind = 0; kind < 3; kind++)
        last_page[kind] = UINT64_MAX;
    if (is_by_call)
        epoch++;
}

static void touch(uint64_t address, int kind)
{
    uint64_t page = address >> PAGE_SHIFT;
    if (last_page[kind] == page)
        return;
    pthread_mutex_lock(&lock);
    last_page[kind] = page;
    if (table_used * 2 >= table_size)
        grow();
    uint64_t key = page << 2 | (uint64_t)(kind + 1);
    struct seen *entry = &table[slot_of(table, table_size, key)];
    if (entry->key != key)
        table_used++;
    if (entry->key != key || entry->epoch != epoch) {
        entry->key = key;
        entry->epoch = epoch;
        touches++;
        print("{\"t\":\"touch\",\"pid\":%d,\"page\":\"0x%llx\",\"a\":\"%c\"}\n", self, (unsigned long long)page << PAGE_SHIFT, "rwx"[kind]);
    }
    pthread_mutex_unlock(&lock);
}

static void on_fetch(unsigned cpu, void *address)
{
    (void)cpu;
    touch((uintptr_t)address, 2);
}

static void on_access(unsigned cpu, mem_info info, uint64_t address, void *unused)
{
    (void)cpu;
    (void)unused;
    int kind = qemu_plugin_mem_is_store(info) ? 1 : 0;
    uint64_t last = address + (1ull << qemu_plugin_mem_size_shift(info)) - 1;
    touch(address, kind);
    if ((last ^ address) >> PAGE_SHIFT != 0)
        touch(last, kind);
}

/* The first record. It waits for the first block: the path cannot be asked for before a CPU runs. */
static const char *target;
static int version;

static void begin_image(void)
{
    const char *path = qemu_plugin_path_to_binary != NULL ? qemu_plugin_path_to_binary() : NULL;
    print("{\"t\":\"image\",\"pid\":%d,\"target\":\"%s\",\"api\":%d", self, target, version);
    if (path != NULL)
        print_text("path", path);
    print("}\n");
    flush();
    target = NULL;
}

/* A block is told of once for each page that its instructions lie in, at the first of them there. */
static void on_translate(plugin_id id, struct block *block)
{
    (void)id;
    pthread_mutex_lock(&lock);
    if (target != NULL)
        begin_image();
    pthread_mutex_unlock(&lock);
    uint64_t page = UINT64_MAX;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct instruction *instruction = qemu_plugin_tb_get_insn(block, i);
        uint64_t first = qemu_plugin_insn_vaddr(instruction), last = first + qemu_plugin_insn_size(instruction) - 1;
        uint64_t ends[2] = { first, last };
        for (int end = 0; end < 2; end++) {
            if (ends[end] >> PAGE_SHIFT == page)
                continue;
            page = ends[end] >> PAGE_SHIFT;
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_fetch, NO_REGISTERS, (void *)(uintptr_t)ends[end]);
        }
        qemu_plugin_register_vcpu_mem_cb(instruction, on_access, NO_REGISTERS, MEM_READ_WRITE, NULL);
    }
}

/* ---- System calls. */

static bool is_generic, reads_paths = true;

/* Which argument is a path, by the guest's numbers; -1 for none. */
static int path_argument(int64_t nr)
{
    static const short generic[][2] = { { 33, 1 }, { 34, 1 }, { 35, 1 }, { 48, 1 }, { 49, 0 }, { 56, 1 }, { 78, 1 }, { 79, 1 }, { 221, 0 }, { 291, 1 } };
    static const short x86_64[][2] = { { 2, 0 }, { 4, 0 }, { 6, 0 }, { 21, 0 }, { 59, 0 }, { 80, 0 }, { 89, 0 }, { 257, 1 }, { 262, 1 }, { 269, 1 }, { 332, 1 } };
    const short(*rows)[2] = is_generic ? generic : x86_64;
    size_t count = is_generic ? sizeof generic / sizeof *generic : sizeof x86_64 / sizeof *x86_64;
    for (size_t i = 0; i < count; i++)
        if (rows[i][0] == nr)
            return rows[i][1];
    return -1;
}

/* The guest's text at an address: qemu maps the guest's memory where the guest has it. Read through the kernel, so nothing can fault. */
static void print_path(uint64_t address)
{
    char text[PATH_BYTES];
    size_t wanted = sizeof text - 1, in_page = 4096 - (address & 4095);
    struct iovec here = { text, wanted }, there = { (void *)(uintptr_t)address, wanted };
    if (address == 0)
        return;
    ssize_t count = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    if (count <= 0 && in_page < wanted) {
        here.iov_len = there.iov_len = in_page;
        count = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    }
    if (count <= 0)
        return;
    text[count] = 0;
    print_text("path", text);
}

static void on_call(plugin_id id, unsigned cpu, int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
                    uint64_t g, uint64_t h)
{
    (void)id, (void)cpu, (void)g, (void)h;
    uint64_t args[6] = { a, b, c, d, e, f };
    pthread_mutex_lock(&lock);
    calls++;
    print("{\"t\":\"enter\",\"pid\":%d,\"nr\":%lld,\"args\":[", self, (long long)nr);
    for (int i = 0; i < 6; i++)
        print("%s\"0x%llx\"", i == 0 ? "" : ",", (unsigned long long)args[i]);
    print("]");
    int path = reads_paths ? path_argument(nr) : -1;
    if (path >= 0)
        print_path(args[path]);
    print("}\n");
    flush(); /* A fork copies the buffer, an exec and an exit lose it. */
    pthread_mutex_unlock(&lock);
}

static void on_return(plugin_id id, unsigned cpu, int64_t nr, int64_t result)
{
    (void)id, (void)cpu;
    if (getpid() != self) { /* A child: the only thread there is, whoever held the lock. */
        pthread_mutex_init(&lock, NULL);
        self = getpid();
        buffered = 0;
        touches = calls = 0;
        epoch++;
        print("{\"t\":\"child\",\"pid\":%d,\"ppid\":%d}\n", self, getppid());
    }
    pthread_mutex_lock(&lock);
    print("{\"t\":\"exit\",\"pid\":%d,\"nr\":%lld,\"ret\":%lld}\n", self, (long long)nr, (long long)result);
    flush();
    forget_pages();
    pthread_mutex_unlock(&lock);
}

static void on_end(plugin_id id, void *unused)
{
    (void)id, (void)unused;
    print("{\"t\":\"end\",\"pid\":%d,\"touches\":%lu,\"calls\":%lu}\n", self, touches, calls);
    flush();
}

EXPORT int qemu_plugin_install(plugin_id id, const plugin_info *info, int argc, char **argv)
{
    const char *file = "pagetrace.jsonl";
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0)
            file = argv[i] + 4;
        else if (strcmp(argv[i], "mode=image") == 0)
            is_by_call = false;
        else if (strcmp(argv[i], "paths=off") == 0)
            reads_paths = false;
        else if (strcmp(argv[i], "mode=call") != 0) {
            fprintf(stderr, "pagetrace: %s is no option (out=FILE, mode=call, mode=image, paths=off)\n", argv[i]);
            return -1;
        }
    }
    if (info->system_emulation) {
        fprintf(stderr, "pagetrace: for qemu-user only\n");
        return -1;
    }
    is_generic = strcmp(info->target_name, "riscv64") == 0 || strcmp(info->target_name, "aarch64") == 0;
    if (!is_generic && strcmp(info->target_name, "x86_64") != 0) {
        fprintf(stderr, "pagetrace: no system call numbers for %s (riscv64, aarch64, x86_64)\n", info->target_name);
        return -1;
    }
    out = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (out < 0) {
        perror(file);
        return -1;
    }
    /* Out of the way of a guest that closes or duplicates low descriptors. */
    int high = fcntl(out, F_DUPFD_CLOEXEC, 500);
    if (high >= 0) {
        close(out);
        out = high;
    }
    self = getpid();
    target = info->target_name;
    version = info->version.cur;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_vcpu_syscall_cb(id, on_call);
    qemu_plugin_register_vcpu_syscall_ret_cb(id, on_return);
    qemu_plugin_register_atexit_cb(id, on_end, NULL);
    return 0;
}
