#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* A file that one writer appends to, and that never takes more room than it may: when it is full,
 * the middle is left out. The head stays as it is, the newest bytes stay (the tail), and what was
 * between them becomes a hole. Offsets stay what they were: the size goes on growing, only the room
 * on disk does not. Readers find the hole with lseek(2) (SEEK_HOLE, SEEK_DATA); it is the only one,
 * it begins at one place for ever, and its end only ever moves towards the end of the file.
 *
 * Head and tail have half of the room each. Bytes are taken out in steps of a quarter of the tail,
 * whole blocks of the file system, so that it costs little. */

/* Less room than so many blocks (of 4K, as a rule) cannot be kept to: it is rounded up to that. */
#define GAP_FILE_BLOCKS_MIN 8

typedef struct GapFile {
    int fd;
    uint64_t size;  /* where the next byte goes */
    uint64_t begin; /* where the hole begins, or would begin; a multiple of the block */
    uint64_t end;   /* where it ends; the same as begin when nothing has been left out */
    uint64_t room;  /* bytes of the tail, at most */
    uint64_t block;
} GapFile;

/* Opens or creates the file, to go on at its end with what was left out before. Takes max bytes on
 * disk. 0 or -errno. */
int gap_file_open(GapFile *g, const char *path, uint64_t max);
void gap_file_close(GapFile *g);

/* Bytes that can be handed to gap_file_make_room() at a time. */
static inline uint64_t gap_file_step(const GapFile *g) {
    return g->room / 4;
}

/* Bytes that there still is room for without leaving out more. */
static inline uint64_t gap_file_left(const GapFile *g) {
    uint64_t used = g->size > g->end ? g->size - g->end : 0;
    return used < g->room ? g->room - used : 0;
}

/* Sees to it that so many bytes can come, at most gap_file_step(): 1 when end has moved for that,
 * 0 when there was room, or -errno: then all is as before. -EOPNOTSUPP: this file system keeps all
 * or nothing of a file. */
int gap_file_make_room(GapFile *g, size_t size);

/* Appends, without a look at the room. 0, or -errno: then *ret_written of the bytes (if not NULL)
 * were written, and without ret_written none. */
int gap_file_write(GapFile *g, const void *data, size_t size, size_t *ret_written);

/* Writes over bytes that are in the file already. */
int gap_file_overwrite(GapFile *g, uint64_t offset, const void *data, size_t size);

/* ---- for readers ---- */

/* Reads up to size bytes at *offset, or, when those are left out, behind the gap: then *offset is
 * where the bytes begin. Never gives a byte of the hole, also when the writer makes it larger at
 * this moment. Gives the number of bytes, 0 at the end, or -errno; may give less than there is. */
ssize_t gap_file_read(int fd, uint64_t *offset, void *buf, size_t size);

/* True when a gap lies in [offset, offset + size) or begins less than margin bytes behind; gives
 * where it ends. */
bool gap_file_has_gap(int fd, uint64_t offset, uint64_t size, uint64_t margin, uint64_t *ret_end);
