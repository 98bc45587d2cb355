/* Loaded before a program's own libraries (LD_PRELOAD): writes down, in order, everything that it writes below one
 * folder and each time it waits for the disk. What a power cut could leave is worked out from that afterwards.
 *
 * RECORD_BELOW  the folder;  RECORD_TO  the record: one header of 24 bytes an operation (kind, length of the name,
 * place in the file, length of the data), then name and data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 4096
static char *names[FILES];
static int record = -1;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

#define REAL(result, name, ...) static result (*real_##name)(__VA_ARGS__); \
    if (!real_##name) real_##name = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static void all(const void *data, size_t length) {
    REAL(ssize_t, write, int, const void *, size_t);
    const char *next = data;
    while (length > 0) {
        ssize_t written = real_write(record, next, length);
        if (written <= 0) abort(); /* a record with a hole would prove anything */
        next += written;
        length -= (size_t)written;
    }
}

static void note(uint64_t kind, const char *name, uint64_t place, const void *data, uint64_t length) {
    uint32_t header[2] = {(uint32_t)kind, (uint32_t)strlen(name)};
    uint64_t rest[2] = {place, length};
    if (record < 0) {
        REAL(int, open, const char *, int, ...);
        record = real_open(getenv("RECORD_TO"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (record < 0) abort();
    }
    all(header, sizeof header);
    all(rest, sizeof rest);
    all(name, header[1]);
    if (data) all(data, length);
}

static int watch(int file, const char *name) {
    const char *below = getenv("RECORD_BELOW");
    if (file >= 0 && file < FILES && below && strncmp(name, below, strlen(below)) == 0) names[file] = strdup(name);
    return file;
}

static const char *name_of(int file) { return file >= 0 && file < FILES ? names[file] : NULL; }

/* The operation and its note are one step, so that the record's order is the order in which they happened. */
#define STEP(call, kind, name, place, data, length) do { \
    pthread_mutex_lock(&one_at_a_time); \
    __typeof__(call) answer = call; \
    if (answer >= 0) note(kind, name, place, data, length); \
    pthread_mutex_unlock(&one_at_a_time); \
    return answer; \
} while (0)

#define OPENING(symbol) int symbol(const char *name, int flags, ...) { \
    REAL(int, symbol, const char *, int, ...); \
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
    return watch(real_##symbol(name, flags, mode), name); }
OPENING(open)
OPENING(open64)

#define OPENING_AT(symbol) int symbol(int folder, const char *name, int flags, ...) { \
    REAL(int, symbol, int, const char *, int, ...); \
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
    return watch(real_##symbol(folder, name, flags, mode), name); }
OPENING_AT(openat)
OPENING_AT(openat64)

int close(int file) {
    REAL(int, close, int);
    if (name_of(file)) { free(names[file]); names[file] = NULL; }
    return real_close(file);
}

#define WRITING_AT(symbol, offset) ssize_t symbol(int file, const void *data, size_t length, offset place) { \
    REAL(ssize_t, symbol, int, const void *, size_t, offset); \
    const char *name = name_of(file); \
    if (!name) return real_##symbol(file, data, length, place); \
    STEP(real_##symbol(file, data, length, place), 1, name, (uint64_t)place, data, (uint64_t)answer); }
WRITING_AT(pwrite, off_t)
WRITING_AT(pwrite64, off64_t)

ssize_t write(int file, const void *data, size_t length) {
    REAL(ssize_t, write, int, const void *, size_t);
    const char *name = name_of(file);
    if (!name) return real_write(file, data, length);
    uint64_t place = (uint64_t)lseek(file, 0, (fcntl(file, F_GETFL) & O_APPEND) ? SEEK_END : SEEK_CUR);
    STEP(real_write(file, data, length), 1, name, place, data, (uint64_t)answer);
}

#define CUTTING(symbol, offset) int symbol(int file, offset length) { \
    REAL(int, symbol, int, offset); \
    const char *name = name_of(file); \
    if (!name) return real_##symbol(file, length); \
    STEP(real_##symbol(file, length), 2, name, (uint64_t)length, NULL, 0); }
CUTTING(ftruncate, off_t)
CUTTING(ftruncate64, off64_t)

#define WAITING(symbol) int symbol(int file) { \
    REAL(int, symbol, int); \
    const char *name = name_of(file); \
    if (!name) return real_##symbol(file); \
    STEP(real_##symbol(file), 3, name, 0, NULL, 0); }
WAITING(fsync)
WAITING(fdatasync)

int unlink(const char *name) {
    REAL(int, unlink, const char *);
    const char *below = getenv("RECORD_BELOW");
    if (!below || strncmp(name, below, strlen(below)) != 0) return real_unlink(name);
    STEP(real_unlink(name), 4, name, 0, NULL, 0);
}
