#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/macro.h"

/* For LD_PRELOAD: a program sees a wall clock that is off by as many seconds as the 8 bytes of the
 * file CLOCK_SHIFT say at that moment. Waiting and the other clocks are as they are. */

int clock_gettime(clockid_t id, struct timespec *t);

static const volatile int64_t *shift(void) {
    static const int64_t none;
    static const volatile int64_t *seconds;
    const char *path = getenv("CLOCK_SHIFT");
    int fd;

    if (seconds)
        return seconds;
    fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    seconds = fd < 0 ? &none : mmap(NULL, sizeof(*seconds), PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    return seconds == MAP_FAILED ? &none : seconds;
}

int clock_gettime(clockid_t id, struct timespec *t) {
    if (syscall(SYS_clock_gettime, id, t) < 0)
        return -1;
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
        t->tv_sec += *shift();
    return 0;
}

time_t time(time_t *ret) {
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    if (ret)
        *ret = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *ret, void *zone) {
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    *ret = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
    return 0;
}
