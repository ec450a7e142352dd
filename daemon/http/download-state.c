#include "daemon/http/download-state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/fd-io.h"
#include "daemon/http/download-answer.h"
#include "daemon/http/download-name.h"

#define STATE_MAX (64 * KIB)
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

void download_state_done(DownloadState *s) {
    free(s->url);
    free(s->validator);
    *s = (DownloadState){};
}

int download_state_set(DownloadState *s, const char *url, const char *validator, uint64_t total) {
    _cleanup_free_ char *u = strdup(url), *v = strdup(validator);

    if (!u || !v)
        return -ENOMEM;
    download_state_done(s);
    s->url = TAKE_PTR(u);
    s->validator = TAKE_PTR(v);
    s->total = total;
    download_boot_id(s->boot);
    return 0;
}

void download_boot_id(char ret[40]) {
    _cleanup_close_ int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, ret, 39);

    ret[MAX(n, 0)] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
}

/* ---- JSON ---- */

/* Numbers beyond 2^53 are none that a file has; unknown ones are left out. */
static void add_number(cJSON *json, const char *name, uint64_t n) {
    if (n <= DOWNLOAD_SIZE_MAX)
        cJSON_AddNumberToObject(json, name, (double)n);
}

static char *to_json(const DownloadState *s) {
    _cleanup_(cJSON_Deletep) cJSON *json = cJSON_CreateObject();

    if (!json)
        return NULL;
    cJSON_AddStringToObject(json, "url", s->url);
    cJSON_AddStringToObject(json, "validator", s->validator);
    cJSON_AddStringToObject(json, "boot", s->boot);
    add_number(json, "total", s->total);
    add_number(json, "synced", s->synced);
    cJSON_AddBoolToObject(json, "pieced", s->pieced);
    if (s->inode > 0) { /* any 64 bits */
        char inode[24];
        snprintf(inode, sizeof(inode), "%ju", (uintmax_t)s->inode);
        cJSON_AddStringToObject(json, "inode", inode);
    }
    if (!isempty(s->sha256))
        cJSON_AddStringToObject(json, "sha256", s->sha256);
    return cJSON_PrintUnformatted(json);
}

static const char *string_of(const cJSON *json, const char *name) {
    return strempty(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name)));
}

static uint64_t number_of(const cJSON *json, const char *name, uint64_t missing) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);
    bool good = cJSON_IsNumber(value) && value->valuedouble >= 0 &&
                value->valuedouble <= (double)DOWNLOAD_SIZE_MAX;

    return good ? (uint64_t)value->valuedouble : missing;
}

static int from_json(const char *text, DownloadState *ret) {
    _cleanup_(cJSON_Deletep) cJSON *json = cJSON_Parse(text);
    const char *url = string_of(json, "url");

    if (isempty(url))
        return -EBADMSG;
    int r = download_state_set(ret, url, string_of(json, "validator"),
                               number_of(json, "total", DOWNLOAD_UNKNOWN));
    if (r < 0)
        return r;
    ret->synced = number_of(json, "synced", 0);
    ret->pieced = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "pieced"));
    ret->inode = strtoull(string_of(json, "inode"), NULL, 10);
    snprintf(ret->boot, sizeof(ret->boot), "%s", string_of(json, "boot"));
    snprintf(ret->sha256, sizeof(ret->sha256), "%s", string_of(json, "sha256"));
    return 0;
}

/* ---- the file ---- */

int download_state_load(int dir_fd, const char *name, DownloadState *ret) {
    _cleanup_close_ int fd =
        openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    _cleanup_free_ char *text = NULL;
    struct stat st;
    size_t size;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
        return -EPERM;
    int r = fd_read_all(fd, STATE_MAX, &text, &size);
    return r < 0 ? r : from_json(text, ret);
}

static int write_and_rename(int dir_fd, int fd, const char *temporary, const char *name,
                            const char *json) {
    int r = fd_write_full(fd, json, strlen(json));

    if (r < 0)
        return r;
    if (fsync(fd) < 0 || renameat(dir_fd, temporary, dir_fd, name) < 0)
        return -errno;
    return fsync(dir_fd) < 0 ? -errno : 0;
}

int download_state_save(int dir_fd, const char *name, const DownloadState *s) {
    _cleanup_free_ char *json = to_json(s);
    char temporary[DOWNLOAD_NAME_MAX + 1];

    if (!json)
        return -ENOMEM;
    snprintf(temporary, sizeof(temporary), "%s.new", name);
    /* One that a crash has left, or a trap that somebody else has laid. */
    if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
        return -errno;
    _cleanup_close_ int fd =
        openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int r = write_and_rename(dir_fd, fd, temporary, name, json);
    if (r < 0)
        unlinkat(dir_fd, temporary, 0);
    return r;
}
