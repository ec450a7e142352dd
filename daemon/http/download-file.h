#pragma once

#include "daemon/http/download-state.h"
#include "daemon/http/download-sync.h"
#include "daemon/kinds/download-params.h"

/* The file that a download makes: the target, and, until it is whole, the partial file beside it.
 *
 * Whatever is killed, and whenever, the target is either what was there before or all of the new
 * file. What may be taken from the partial file stands in its state (download-state.h): of the same
 * boot, all of it; after a power cut, what was synced. The partial file is locked (flock(2)) as
 * long as somebody works on it.
 *
 * Functions give 0 or -errno, and then why in *ret_error, owned by the caller; NULL when memory is
 * short. */

typedef struct DownloadFile {
    const DownloadParams *params; /* not owned */
    int dir_fd, fd;               /* of the folder, and of the partial file */
    char *dir, *path;             /* absolute, of the folder and the target */
    char *name;
    char part[256], state_name[256];
    uint64_t size; /* bytes of the partial file that are good */
    DownloadState state;
    bool ours;      /* the partial file is locked by us */
    bool has_state; /* it is on disk */
    bool published; /* the target is there */
    bool resumable; /* what is there is of use to a next download */
    DownloadSync sync;
} DownloadFile;

/* Finds target and folder, and takes the partial file, or a new one. 1: the target is there
 * already, all of it, made by this very download before it was killed; nothing is left to do. */
int download_file_open(DownloadFile *f, const DownloadParams *params, char **ret_error);

/* An answer brings the file from its beginning: what was there is thrown away. total may be
 * DOWNLOAD_UNKNOWN. */
int download_file_begin(DownloadFile *f, const char *url, const char *validator, uint64_t total,
                        char **ret_error);

/* An answer brings the rest: what is whole in the end is put together. total as above. */
int download_file_piece(DownloadFile *f, uint64_t total, char **ret_error);

/* The next bytes. */
int download_file_write(DownloadFile *f, const void *data, size_t size, char **ret_error);

/* Whether so much more has room on the disk. */
int download_file_check_room(DownloadFile *f, uint64_t more, char **ret_error);

/* All of it is there and is what it should be: makes it the target, on disk for sure. */
int download_file_publish(DownloadFile *f, char **ret_error);

/* Empties it: what is there is of no use. */
int download_file_reset(DownloadFile *f, char **ret_error);

/* What is there came from one of the urls that this download was given, not from another's. */
bool download_file_is_of_asked(const DownloadFile *f);

/* A next download goes on with what is there. */
bool download_file_keeps(const DownloadFile *f);

/* The end in any case: removes what nobody can go on with. */
void download_file_close(DownloadFile *f);
