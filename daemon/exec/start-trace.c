#include "daemon/exec/start-trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"

#define FILE_NAME "threads"
#define FILE_SIZE (START_TRACE_MAX * sizeof(uint64_t))

struct StartTrace {
    _Atomic uint64_t *ids; /* 0 = free */
    size_t count;          /* slots in use */
    size_t next;           /* where the search begins: it is mostly free */
};

/* Where there is no room for all of it, writing to the mapping would end the daemon. */
static int map_file(const char *path, void **ret) {
    _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return -errno;
    int r = -posix_fallocate(fd, 0, FILE_SIZE);
    if (r < 0)
        return r;
    void *p = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return -errno;
    *ret = p;
    return 0;
}

int start_trace_open(StartTrace **ret, const char *runtime_dir) {
    _cleanup_free_ StartTrace *t = calloc(1, sizeof(StartTrace));
    char path[4096];
    void *ids = NULL;

    if (!t)
        return -ENOMEM;
    if (snprintf(path, sizeof(path), "%s/" FILE_NAME, runtime_dir) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int r = map_file(path, &ids);
    if (r < 0)
        return r;
    t->ids = ids;
    for (size_t i = 0; i < START_TRACE_MAX; i++)
        t->count += t->ids[i] != 0;
    *ret = TAKE_PTR(t);
    return 0;
}

StartTrace *start_trace_close(StartTrace *t) {
    if (!t)
        return NULL;
    (void)munmap((void *)t->ids, FILE_SIZE);
    free(t);
    return NULL;
}

int start_trace_add(StartTrace *t, uint64_t id) {
    if (t->count == START_TRACE_MAX)
        return -ENOBUFS;
    while (t->ids[t->next] != 0)
        t->next = (t->next + 1) % START_TRACE_MAX;
    t->ids[t->next] = id;
    t->count++;
    return 0;
}

/* Mostly it is one of the last few. */
static size_t find(const StartTrace *t, uint64_t id) {
    for (size_t n = 0; n < START_TRACE_MAX; n++) {
        size_t i = (t->next + START_TRACE_MAX - n) % START_TRACE_MAX;
        if (t->ids[i] == id)
            return i;
    }
    return START_TRACE_MAX;
}

void start_trace_remove(StartTrace *t, uint64_t id) {
    size_t i = find(t, id);

    if (i == START_TRACE_MAX)
        return;
    t->ids[i] = 0;
    t->count--;
    t->next = i;
}

bool start_trace_contains(const StartTrace *t, uint64_t id) {
    return find(t, id) < START_TRACE_MAX;
}

void start_trace_keep(StartTrace *t, bool (*keep)(void *userdata, uint64_t id), void *userdata) {
    for (size_t i = 0; i < START_TRACE_MAX; i++)
        if (t->ids[i] != 0 && !keep(userdata, t->ids[i])) {
            t->ids[i] = 0;
            t->count--;
        }
}
