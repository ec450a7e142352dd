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
    _Atomic uint64_t *ids; /* 0 = nothing is there */
    uint16_t free[START_TRACE_MAX];
    size_t n_free;
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
    for (int place = START_TRACE_MAX - 1; place >= 0; place--)
        if (t->ids[place] == 0)
            t->free[t->n_free++] = (uint16_t)place;
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

int start_trace_reserve(StartTrace *t) {
    return t->n_free > 0 ? t->free[--t->n_free] : -ENOBUFS;
}

void start_trace_note(StartTrace *t, int place, uint64_t id) {
    t->ids[place] = id;
}

void start_trace_release(StartTrace *t, int place) {
    t->ids[place] = 0;
    t->free[t->n_free++] = (uint16_t)place;
}

int start_trace_find(const StartTrace *t, uint64_t id) {
    for (int place = 0; place < START_TRACE_MAX; place++)
        if (t->ids[place] == id)
            return place;
    return -ENOENT;
}

void start_trace_keep(StartTrace *t, bool (*keep)(void *userdata, uint64_t id), void *userdata) {
    for (int place = 0; place < START_TRACE_MAX; place++)
        if (t->ids[place] != 0 && !keep(userdata, t->ids[place]))
            start_trace_release(t, place);
}
