#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/macro.h"

/* For LD_PRELOAD: a program sees a wall clock that is off by as many seconds as the 8 bytes of the
 * file CLOCK_SHIFT say at that moment, and its timerfds on that clock follow it: when the file is
 * written to, they are as the kernel makes them when the clock is set. Other ways of waiting, and
 * the other clocks, are as they are. */

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

/* ---- timers ---- */

/* By descriptor. Absolute ones alone are affected. */
static struct Timer {
    bool is_wall, is_set, canceled;
    int flags;
    struct itimerspec spec; /* on the clock that the program sees */
} timers[1024];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int set_real(int fd, int flags, const struct itimerspec *spec, struct itimerspec *old) {
    return (int)syscall(SYS_timerfd_settime, fd, flags, spec, old);
}

static int set_shifted(int fd, const struct Timer *t) {
    struct itimerspec spec = t->spec;

    if (spec.it_value.tv_sec > 0 || spec.it_value.tv_nsec > 0) {
        spec.it_value.tv_sec -= (time_t)*shift();
        if (spec.it_value.tv_sec < 0) /* long ago */
            spec.it_value = (struct timespec){.tv_nsec = 1};
    }
    return set_real(fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void clock_was_set(void) {
    static const struct itimerspec at_once = {.it_value.tv_nsec = 1};

    for (int fd = 0; fd < (int)ELEMENTSOF(timers); fd++) {
        struct Timer *t = &timers[fd];
        if (!t->is_set)
            continue;
        t->canceled = t->flags & TFD_TIMER_CANCEL_ON_SET;
        if (t->canceled)
            (void)set_real(fd, 0, &at_once, NULL); /* readable: see read() */
        else
            (void)set_shifted(fd, t);
    }
}

static void *watch(void *userdata) {
    char events[4096];
    const int *fd = userdata;

    while (syscall(SYS_read, *fd, events, sizeof(events)) > 0) {
        pthread_mutex_lock(&lock);
        clock_was_set();
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

/* From now on no change is missed. */
static void begin_watch(void) {
    static int fd;
    const char *path = getenv("CLOCK_SHIFT");
    pthread_t thread;

    fd = inotify_init1(IN_CLOEXEC);
    if (path && inotify_add_watch(fd, path, IN_MODIFY) >= 0 &&
        pthread_create(&thread, NULL, watch, &fd) == 0)
        pthread_detach(thread);
}

int timerfd_create(int clock, int flags) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int fd = (int)syscall(SYS_timerfd_create, clock, flags);

    if (fd < 0 || fd >= (int)ELEMENTSOF(timers))
        return fd;
    pthread_mutex_lock(&lock);
    timers[fd] = (struct Timer){.is_wall = clock == CLOCK_REALTIME};
    pthread_mutex_unlock(&lock);
    if (clock == CLOCK_REALTIME)
        pthread_once(&once, begin_watch);
    return fd;
}

static struct Timer *find(int fd) {
    return fd >= 0 && fd < (int)ELEMENTSOF(timers) && timers[fd].is_wall ? &timers[fd] : NULL;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *spec, struct itimerspec *old) {
    struct Timer *t = find(fd);
    int r, error = 0;

    if (!t || !(flags & TFD_TIMER_ABSTIME))
        return set_real(fd, flags, spec, old);
    pthread_mutex_lock(&lock);
    if (t->canceled)
        error = ECANCELED; /* set all the same, as the kernel does it */
    *t = (struct Timer){.is_wall = true, .is_set = true, .flags = flags, .spec = *spec};
    r = set_shifted(fd, t);
    pthread_mutex_unlock(&lock);
    if (r >= 0 && error > 0) {
        errno = error;
        return -1;
    }
    return r;
}

ssize_t read(int fd, void *buf, size_t size) {
    struct Timer *t = find(fd);
    ssize_t n = syscall(SYS_read, fd, buf, size);

    if (!t || n < 0)
        return n;
    pthread_mutex_lock(&lock);
    if (t->canceled) {
        t->canceled = false;
        errno = ECANCELED;
        n = -1;
    }
    pthread_mutex_unlock(&lock);
    return n;
}

int close(int fd) {
    struct Timer *t = find(fd);

    if (t) {
        pthread_mutex_lock(&lock);
        *t = (struct Timer){};
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(SYS_close, fd);
}
