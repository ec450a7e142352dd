#include "daemon/disk-space.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

int disk_space_free(const char *dir, uint64_t *ret_bytes) {
    struct statvfs st;

    if (statvfs(dir, &st) < 0)
        return -errno;
    *ret_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    return 0;
}

bool disk_is_memory(const char *dir) {
    struct statfs st;

    return statfs(dir, &st) >= 0 &&
           ((unsigned long)st.f_type == TMPFS_MAGIC || (unsigned long)st.f_type == RAMFS_MAGIC);
}
