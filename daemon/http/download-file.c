#include "daemon/http/download-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/fd-io.h"
#include "common/parse.h"
#include "daemon/http/download-answer.h"
#include "daemon/http/download-error.h"
#include "daemon/http/download-name.h"

#define STATELESS_MAX MIB /* what is smaller is not worth a state on disk */
#define LOCK_TRIES 10

/* ---- the folder and the target ---- */

static bool is_folder(const char *path) {
    struct stat st;

    return stat(path, &st) >= 0 && S_ISDIR(st.st_mode);
}

static int open_folder(DownloadFile *f, const char *path, char **ret_error) {
    f->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir_fd < 0 && errno == ENOENT)
        return download_error(ret_error, -ENOENT, "The folder %s does not exist: make it first",
                              path);
    if (f->dir_fd < 0)
        return download_error(ret_error, -errno, "Cannot open the folder %s: %s", path,
                              strerror(errno));
    f->dir = realpath(path, NULL);
    if (!f->dir)
        return download_error(ret_error, -errno, "Cannot tell the path of the folder %s: %s", path,
                              strerror(errno));
    return 0;
}

/* In a folder, the url says the name. */
static int find_in_folder(DownloadFile *f, const char *path, char **ret_error) {
    f->name = download_name_from_url(f->params->urls[0]);
    if (!f->name)
        return download_error(ret_error, -EINVAL,
                              "The url %s names no file: give path with the name of one",
                              f->params->urls[0]);
    return open_folder(f, path, ret_error);
}

static int find_file(DownloadFile *f, const char *path, char **ret_error) {
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *folder = !slash          ? strdup(".")
                                  : slash == path ? strdup("/")
                                                  : strndup(path, (size_t)(slash - path));

    f->name = strdup(slash ? slash + 1 : path);
    if (!folder || !f->name)
        return -ENOMEM;
    if (strlen(f->name) > DOWNLOAD_NAME_MAX)
        return download_error(ret_error, -ENAMETOOLONG, "The name %.50s... is longer than %d bytes",
                              f->name, DOWNLOAD_NAME_MAX);
    return open_folder(f, folder, ret_error);
}

static int find_target(DownloadFile *f, char **ret_error) {
    const char *path = isempty(f->params->path) ? "." : f->params->path;
    bool folder = path[strlen(path) - 1] == '/' || is_folder(path);
    int r = folder ? find_in_folder(f, path, ret_error) : find_file(f, path, ret_error);

    if (r < 0)
        return r;
    download_name_partial(f->name, "", f->part);
    download_name_partial(f->name, ".state", f->state_name);
    if (asprintf(&f->path, "%s/%s", streq(f->dir, "/") ? "" : f->dir, f->name) < 0) {
        f->path = NULL;
        return -ENOMEM;
    }
    return 0;
}

bool download_file_is_of_asked(const DownloadFile *f) {
    for (char **url = f->params->urls; *url; url++)
        if (streq(*url, f->state.url))
            return true;
    return false;
}

/* What an attempt that was killed behind the rename has left. */
static bool is_ours_already(const DownloadFile *f, const struct stat *st) {
    const char *wanted = f->params->sha256;

    return download_file_is_of_asked(f) && f->has_state && f->state.inode != 0 &&
           f->state.inode == st->st_ino && f->state.total == (uint64_t)st->st_size &&
           (isempty(wanted) || streq(wanted, f->state.sha256));
}

/* Looks before anything is fetched; that nobody comes in between, the rename sees to. A symlink is
 * a thing of its own, and replaced itself. 1: it is what this download has made. */
static int check_target(const DownloadFile *f, char **ret_error) {
    struct stat st;

    if (fstatat(f->dir_fd, f->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0
                               : download_error(ret_error, -errno, "Cannot look at %s: %s", f->path,
                                                strerror(errno));
    if (is_ours_already(f, &st))
        return 1;
    if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
        return download_error(ret_error, -EEXIST, "%s is there, and is no file: give another path",
                              f->path);
    if (!f->params->overwrite)
        return download_error(ret_error, -EEXIST,
                              "%s exists: give another path, or overwrite to replace it", f->path);
    return 0;
}

/* ---- the partial file ---- */

static int cannot(const DownloadFile *f, const char *what, int r, char **ret_error) {
    return download_error(ret_error, r, "Cannot %s %s/%s: %s", what, f->dir, f->part, strerror(-r));
}

/* One that somebody else has put there could bring anything into the file. */
static int check_partial(DownloadFile *f, struct stat *ret, char **ret_error) {
    if (fstat(f->fd, ret) < 0)
        return cannot(f, "look at", -errno, ret_error);
    if (S_ISREG(ret->st_mode) && ret->st_uid == geteuid() && ret->st_nlink <= 1)
        return 0;
    return download_error(ret_error, -EPERM,
                          "%s/%s is in the way: it is no file of ours alone. Remove it, or give "
                          "another path",
                          f->dir, f->part);
}

static int lock_partial(DownloadFile *f, char **ret_error) {
    if (flock(f->fd, LOCK_EX | LOCK_NB) >= 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return download_error(ret_error, -EBUSY,
                              "Another download to %s is under way: wait for it, or cancel it",
                              f->path);
    return cannot(f, "lock", -errno, ret_error);
}

/* 0: it is ours. 1: between open and lock somebody has renamed or removed it. */
static int open_partial(DownloadFile *f, char **ret_error) {
    struct stat ours, there;
    int r;

    f->fd = openat(f->dir_fd, f->part,
                   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
    if (f->fd < 0)
        return cannot(f, "open", -errno, ret_error);
    r = lock_partial(f, ret_error);
    if (r >= 0)
        r = check_partial(f, &ours, ret_error);
    if (r < 0)
        return r;
    if (fstatat(f->dir_fd, f->part, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
        there.st_ino != ours.st_ino || there.st_dev != ours.st_dev) {
        f->fd = close_fd(f->fd);
        return 1;
    }
    f->size = (uint64_t)ours.st_size;
    f->ours = true;
    return 0;
}

static int take_partial(DownloadFile *f, char **ret_error) {
    int r = 1;

    for (int i = 0; r > 0 && i < LOCK_TRIES; i++)
        r = open_partial(f, ret_error);
    return r > 0 ? download_error(ret_error, -EBUSY, "Others download to %s all the time", f->path)
                 : r;
}

/* ---- the state ---- */

/* So much of the partial file is what the server sent. */
static uint64_t good_size(const DownloadFile *f) {
    char boot[40];
    uint64_t size = f->size;

    if (!f->has_state)
        return 0;
    download_boot_id(boot);
    if (isempty(boot) || !streq(boot, f->state.boot))
        size = MIN(size, f->state.synced);
    return size > f->state.total ? 0 : size;
}

static int load_state(DownloadFile *f, char **ret_error) {
    int r = download_state_load(f->dir_fd, f->state_name, &f->state);

    if (r == -ENOMEM)
        return r;
    if (r == -EPERM)
        return download_error(ret_error, r,
                              "%s/%s is in the way: it is no file of ours. Remove it, or give "
                              "another path",
                              f->dir, f->state_name);
    f->has_state = r >= 0;
    return f->has_state ? 0 : download_state_set(&f->state, "", "", DOWNLOAD_UNKNOWN);
}

static int save_state(DownloadFile *f) {
    int r = download_state_save(f->dir_fd, f->state_name, &f->state);

    f->has_state |= r >= 0;
    return r;
}

/* By the thread. If it fails, the one before still holds. */
static void on_synced(void *userdata, uint64_t size) {
    DownloadFile *f = userdata;

    if (!f->has_state)
        return;
    f->state.synced = size;
    save_state(f);
}

/* After a restart of the machine, what follows is written in another boot than what is there: that
 * has to be on disk before the state says "all of it". */
static int renew_boot(DownloadFile *f) {
    char boot[40];

    download_boot_id(boot);
    if (!f->has_state || streq(boot, f->state.boot))
        return 0;
    memcpy(f->state.boot, boot, sizeof(boot));
    f->state.synced = f->size;
    if (fdatasync(f->fd) < 0)
        return -errno;
    return save_state(f);
}

static int take_over(DownloadFile *f, char **ret_error) {
    uint64_t good = good_size(f);
    int r = ftruncate(f->fd, (off_t)good) < 0 ? -errno : 0;

    f->size = good;
    if (r >= 0)
        r = renew_boot(f);
    if (r < 0)
        return cannot(f, "prepare", r, ret_error);
    f->resumable = f->size > 0;
    r = download_sync_start(&f->sync, f->fd, on_synced, f);
    if (r < 0)
        return cannot(f, "prepare", r, ret_error);
    download_sync_lock(&f->sync);
    download_sync_unlock_anew(&f->sync, f->size);
    return 0;
}

/* The state is read under the lock alone, so that it is not another's work of this moment; and a
 * target that is in the way makes no partial file. */
int download_file_open(DownloadFile *f, const DownloadParams *params, char **ret_error) {
    *f = (DownloadFile){.params = params, .dir_fd = -EBADF, .fd = -EBADF};
    int r = find_target(f, ret_error);

    if (r >= 0)
        r = load_state(f, ret_error);
    if (r >= 0)
        r = check_target(f, ret_error);
    if (r == 0)
        r = take_partial(f, ret_error);
    if (r == 0)
        r = load_state(f, ret_error);
    if (r == 0)
        r = check_target(f, ret_error);
    f->published = r > 0;
    if (f->published)
        f->size = f->state.total;
    return r == 0 ? take_over(f, ret_error) : r;
}

/* ---- bytes ---- */

static bool wants_state(const DownloadFile *f) {
    return f->resumable && (f->state.total > STATELESS_MAX);
}

/* A state that speaks of another file must be gone from the disk before the first byte of this one
 * gets there. */
static int drop_state(DownloadFile *f) {
    if (!f->has_state)
        return 0;
    if (unlinkat(f->dir_fd, f->state_name, 0) < 0 && errno != ENOENT)
        return -errno;
    f->has_state = false;
    return fsync(f->dir_fd) < 0 ? -errno : 0;
}

static int begin(DownloadFile *f, const char *url, const char *validator, uint64_t total) {
    if (ftruncate(f->fd, 0) < 0)
        return -errno;
    f->size = 0;
    int r = download_state_set(&f->state, url, validator, total);
    if (r < 0)
        return r;
    f->resumable = !isempty(validator) || !isempty(f->params->sha256);
    return wants_state(f) ? save_state(f) : drop_state(f);
}

int download_file_begin(DownloadFile *f, const char *url, const char *validator, uint64_t total,
                        char **ret_error) {
    download_sync_lock(&f->sync);
    int r = begin(f, url, validator, total);
    download_sync_unlock_anew(&f->sync, 0);
    return r < 0 ? cannot(f, "prepare", r, ret_error) : 0;
}

int download_file_piece(DownloadFile *f, uint64_t total, char **ret_error) {
    int r = 0;

    download_sync_lock(&f->sync);
    bool changed = !f->state.pieced || f->state.total == DOWNLOAD_UNKNOWN;
    f->state.pieced = true;
    if (f->state.total == DOWNLOAD_UNKNOWN)
        f->state.total = total;
    if (changed && f->has_state)
        r = save_state(f);
    download_sync_unlock_anew(&f->sync, f->size);
    return r < 0 ? cannot(f, "prepare", r, ret_error) : 0;
}

int download_file_reset(DownloadFile *f, char **ret_error) {
    return download_file_begin(f, "", "", DOWNLOAD_UNKNOWN, ret_error);
}

static int cannot_write(const DownloadFile *f, int r, char **ret_error) {
    char size[FORMAT_MAX];

    if (r == -ENOSPC || r == -EDQUOT)
        return download_error(ret_error, r, "%s after %s, in the folder %s: make room%s",
                              r == -ENOSPC ? "The disk is full" : "The quota is used up",
                              format_size(size, f->size), f->dir,
                              f->resumable ? ", and start it again: it goes on from there" : "");
    return cannot(f, "write", r, ret_error);
}

int download_file_write(DownloadFile *f, const void *data, size_t size, char **ret_error) {
    const char *p = data;

    while (size > 0) {
        ssize_t n = pwrite(f->fd, p, size, (off_t)f->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot_write(f, -errno, ret_error);
        p += n;
        size -= (size_t)n;
        f->size += (uint64_t)n;
    }
    int r = download_sync_grown(&f->sync, f->size);
    if (r < 0) /* what did not get to the disk cannot be told */
        f->resumable = false;
    return r < 0 ? cannot_write(f, r, ret_error) : 0;
}

int download_file_check_room(DownloadFile *f, uint64_t more, char **ret_error) {
    char wanted[FORMAT_MAX], there[FORMAT_MAX];
    struct statvfs st;

    if (fstatvfs(f->fd, &st) < 0 || st.f_blocks == 0)
        return 0; /* then writing tells */
    uint64_t room = (uint64_t)st.f_bavail * st.f_frsize;
    if (more <= room)
        return 0;
    return download_error(ret_error, -ENOSPC,
                          "There is no room for it: %s more are needed in the folder %s, and %s "
                          "are free",
                          format_size(wanted, more), f->dir, format_size(there, room));
}

/* ---- the end ---- */

static int rename_new(const DownloadFile *f) {
    if (renameat2(f->dir_fd, f->part, f->dir_fd, f->name, RENAME_NOREPLACE) >= 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    /* A file system that cannot: link(2) does not replace anything either. */
    if (linkat(f->dir_fd, f->part, f->dir_fd, f->name, 0) < 0)
        return -errno;
    return unlinkat(f->dir_fd, f->part, 0) < 0 ? -errno : 0;
}

static int rename_partial(const DownloadFile *f) {
    if (!f->params->overwrite)
        return rename_new(f);
    return renameat(f->dir_fd, f->part, f->dir_fd, f->name) < 0 ? -errno : 0;
}

/* If it is killed behind the rename, the next one knows by the inode that all is done. */
static int mark_whole(DownloadFile *f) {
    struct stat st;

    if (!f->has_state)
        return 0;
    if (fstat(f->fd, &st) < 0)
        return -errno;
    f->state.total = f->state.synced = f->size;
    f->state.inode = st.st_ino;
    memcpy(f->state.sha256, f->params->sha256, sizeof(f->state.sha256));
    return save_state(f);
}

int download_file_publish(DownloadFile *f, char **ret_error) {
    int r;

    download_sync_stop(&f->sync);
    r = f->sync.error; /* the kernel tells it once, and not to the next fsync(2) */
    if (r >= 0)
        r = fsync(f->fd) < 0 ? -errno : mark_whole(f);
    if (r < 0)
        return cannot_write(f, r, ret_error);
    f->resumable = true; /* whatever comes: it is all there */
    r = rename_partial(f);
    if (r == -EEXIST)
        return download_error(ret_error, r,
                              "%s was made by somebody else meanwhile. What was downloaded is all "
                              "in %s/%s",
                              f->path, f->dir, f->part);
    if (r < 0)
        return download_error(ret_error, r, "Cannot rename %s/%s to %s: %s", f->dir, f->part,
                              f->name, strerror(-r));
    f->published = true;
    f->ours = false; /* a partial file of that name is another's now */
    if (fsync(f->dir_fd) < 0)
        return download_error(ret_error, -errno, "Cannot bring the folder %s to the disk: %s",
                              f->dir, strerror(errno));
    return 0;
}

bool download_file_keeps(const DownloadFile *f) {
    return f->ours && !f->published && f->resumable && f->has_state && f->size > 0;
}

static void remove_rest(DownloadFile *f) {
    if (f->ours && !download_file_keeps(f))
        unlinkat(f->dir_fd, f->part, 0);
    if (f->has_state && (f->published || (f->ours && !download_file_keeps(f))))
        unlinkat(f->dir_fd, f->state_name, 0);
}

void download_file_close(DownloadFile *f) {
    download_sync_stop(&f->sync);
    remove_rest(f);
    f->fd = close_fd(f->fd);
    f->dir_fd = close_fd(f->dir_fd);
    download_state_done(&f->state);
    free(f->dir);
    free(f->path);
    free(f->name);
}
