#include "common/gap-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

#define BLOCK_MIN (4 * KIB)
#define BLOCK_MAX                                                                                  \
    (128 * KIB) /* of ZFS; what is above is no block, but what NFS likes to transfer */
#define SIZE_MAX_SANE (UINT64_C(1) << 60)

/* Of a reader that the writer overtakes again and again. */
#define READ_TRIES 16

static uint64_t align_down(uint64_t n, uint64_t block) {
    return n - n % block;
}

/* ---- the writer ---- */

static uint64_t block_size(const struct stat *st) {
    uint64_t block = st->st_blksize > 0 ? (uint64_t)st->st_blksize : BLOCK_MIN;

    return block > BLOCK_MAX ? BLOCK_MIN : MAX(block, BLOCK_MIN);
}

/* What an earlier writer has left out. A file system that cannot tell has no holes. */
static uint64_t find_end(int fd, uint64_t begin, uint64_t size) {
    if (size <= begin)
        return begin;
    off_t data = lseek(fd, (off_t)begin, SEEK_DATA);
    return data < 0 ? begin : (uint64_t)data;
}

int gap_file_open(GapFile *g, const char *path, uint64_t max) {
    _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    uint64_t block = block_size(&st), size = (uint64_t)st.st_size;
    max = MIN(MAX(max, GAP_FILE_BLOCKS_MIN * block), SIZE_MAX_SANE);
    uint64_t begin = align_down(max / 2, block), end = find_end(fd, begin, size);
    *g = (GapFile){
        .fd = TAKE_FD(fd),
        .size = size,
        .begin = begin,
        .end = end,
        .room = max - begin,
        .block = block,
    };
    return 0;
}

void gap_file_close(GapFile *g) {
    g->fd = close_fd(g->fd);
}

static int punch(int fd, uint64_t begin, uint64_t end) {
    for (;;) {
        if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)begin,
                      (off_t)(end - begin)) >= 0)
            return 0;
        if (errno == ENOSYS || errno == ENODEV)
            return -EOPNOTSUPP;
        if (errno != EINTR)
            return -errno;
    }
}

int gap_file_make_room(GapFile *g, size_t size) {
    if (size <= gap_file_left(g))
        return 0;
    /* Three quarters of the room stay in use. */
    uint64_t end = align_down(g->size + size - (g->room - gap_file_step(g)), g->block);
    int r = punch(g->fd, g->end, end);
    if (r < 0)
        return r;
    g->end = end;
    return 1;
}

/* Half a record is worse than none. */
static void take_back(GapFile *g, uint64_t size) {
    if (ftruncate(g->fd, (off_t)size) >= 0)
        g->size = size;
}

int gap_file_write(GapFile *g, const void *data, size_t size, size_t *ret_written) {
    uint64_t before = g->size;
    const char *p = data;

    while (size > 0) {
        ssize_t n = write(g->fd, p, size);
        if (n < 0) {
            int error = errno;
            if (error == EINTR)
                continue;
            if (!ret_written && g->size != before)
                take_back(g, before);
            else if (ret_written)
                *ret_written = (size_t)(g->size - before);
            return -error;
        }
        g->size += (uint64_t)n;
        p += n;
        size -= (size_t)n;
    }
    if (ret_written)
        *ret_written = (size_t)(g->size - before);
    return 0;
}

/* With O_APPEND, Linux appends whatever the offset is. */
int gap_file_overwrite(GapFile *g, uint64_t offset, const void *data, size_t size) {
    if (fcntl(g->fd, F_SETFL, 0) < 0)
        return -errno;
    ssize_t n = pwrite(g->fd, data, size, (off_t)offset);
    int r = n < 0 ? -errno : (size_t)n < size ? -EIO : 0;
    if (fcntl(g->fd, F_SETFL, O_APPEND) < 0)
        return -errno;
    return r;
}

/* ---- readers ---- */

/* The distance at which a gap cannot slip through. It has a ninth of the file, but for a block:
 * when it is made, it is a quarter of the tail, an eighth of the room; and it is all that is above
 * that. */
static uint64_t probe_distance(int fd) {
    struct stat st;

    return fstat(fd, &st) >= 0 && (uint64_t)st.st_size >= 32 * BLOCK_MAX ? (uint64_t)st.st_size / 16
                                                                         : BLOCK_MIN;
}

/* Where the first hole in [offset, end) begins, or end. Looks for data, here and there: SEEK_HOLE
 * looks at every page up to the hole on a tmpfs, which may be a gigabyte away. */
static uint64_t data_until(int fd, uint64_t offset, uint64_t end) {
    uint64_t distance = probe_distance(fd);

    for (uint64_t at = offset, before = offset;; before = at, at = MIN(at + distance, end - 1)) {
        off_t data = lseek(fd, (off_t)at, SEEK_DATA);
        if (data < 0 && errno != ENXIO) /* a file system that cannot tell has no holes */
            return end;
        if (data != (off_t)at) {
            off_t hole = lseek(fd, (off_t)before, SEEK_HOLE);
            return hole < 0 ? before : MIN((uint64_t)hole, end);
        }
        if (at == end - 1)
            return end;
    }
}

ssize_t gap_file_read(int fd, uint64_t *offset, void *buf, size_t size) {
    for (int i = 0; i < READ_TRIES; i++) {
        ssize_t n = pread(fd, buf, size, (off_t)*offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        /* Asked for after the bytes were read: what is no hole now was none then. */
        uint64_t hole = data_until(fd, *offset, *offset + (uint64_t)n);
        if (hole > *offset)
            return (ssize_t)(hole - *offset);
        off_t data = lseek(fd, (off_t)hole, SEEK_DATA);
        if (data < 0)
            return errno == ENXIO ? 0 : -errno;
        *offset = (uint64_t)data;
    }
    return 0;
}

bool gap_file_has_gap(int fd, uint64_t offset, uint64_t size, uint64_t margin, uint64_t *ret_end) {
    uint64_t end = offset + size + margin, hole = size > 0 ? data_until(fd, offset, end) : end;

    if (hole >= end)
        return false;
    off_t data = lseek(fd, (off_t)hole, SEEK_DATA);
    if (data < 0) /* the end of the file counts as a hole */
        return false;
    *ret_end = (uint64_t)data;
    return true;
}
