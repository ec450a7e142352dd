#include "daemon/shim/shim-sample.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Reads a file of a process; false when it has ended or is not ours to look at. */
static bool read_proc(pid_t pid, const char *name, char *buf, size_t size) {
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, buf, size - 1);
    if (n <= 0)
        return false;
    buf[n] = '\0';
    return true;
}

/* The number behind "KEY:" in KiB, as bytes. */
static bool find_kib(const char *text, const char *key, uint64_t *ret) {
    const char *line = strstr(text, key);
    uint64_t kib;

    if (!line || sscanf(line + strlen(key), "%" SCNu64, &kib) != 1)
        return false;
    *ret = kib * KIB;
    return true;
}

static uint64_t resident(pid_t pid) {
    uint64_t pages;
    char text[256];

    if (!read_proc(pid, "statm", text, sizeof(text)) || sscanf(text, "%*u %" SCNu64, &pages) != 1)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t share(pid_t pid) {
    char text[2048];
    uint64_t bytes;

    if (!read_proc(pid, "smaps_rollup", text, sizeof(text)) || !find_kib(text, "\nPss:", &bytes))
        return resident(pid);
    return bytes;
}

uint64_t shim_sample_memory(const pid_t *pids, size_t n, uint64_t enough) {
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += resident(pids[i]);
    if (sum <= enough)
        return sum;
    sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += share(pids[i]);
    return sum;
}

uint64_t shim_sample_threads(const pid_t *pids, size_t n) {
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        char path[32];
        struct stat st;
        snprintf(path, sizeof(path), "/proc/%d/task", pids[i]);
        /* A folder for each, and ".." and "." */
        if (stat(path, &st) >= 0 && st.st_nlink > 2)
            sum += (uint64_t)st.st_nlink - 2;
    }
    return sum;
}

static uint64_t cpu_usec(pid_t pid) {
    unsigned long long user, system;
    long long child_user, child_system;
    char text[1024];

    if (!read_proc(pid, "stat", text, sizeof(text)))
        return 0;
    const char *behind = strrchr(text, ')'); /* a name may have anything in it */
    if (!behind ||
        sscanf(behind, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld", &user,
               &system, &child_user, &child_system) != 4)
        return 0;
    uint64_t ticks = user + system + (uint64_t)child_user + (uint64_t)child_system;
    return ticks * USEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
}

void shim_sample_usage(const pid_t *pids, size_t n, uint64_t *ret_cpu_usec, uint64_t *ret_peak) {
    uint64_t cpu = 0, peak = 0, bytes;
    char text[4096];

    for (size_t i = 0; i < n; i++) {
        cpu += cpu_usec(pids[i]);
        if (read_proc(pids[i], "status", text, sizeof(text)) && find_kib(text, "\nVmHWM:", &bytes))
            peak = MAX(peak, bytes);
    }
    *ret_cpu_usec = cpu;
    *ret_peak = peak;
}
