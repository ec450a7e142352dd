#include "daemon/exec/result-file.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/text.h"

int result_file_path(char *buf, size_t size, const char *runtime_dir) {
    int n = snprintf(buf, size, "%s/" RESULT_FILE_NAME, runtime_dir);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int result_file_write(const char *runtime_dir, const char *json) {
    char path[4096], partial[4096 + 8];
    int r = result_file_path(path, sizeof(path), runtime_dir);

    if (r < 0)
        return r;
    r = mkdir_parents(runtime_dir, 0700);
    if (r < 0)
        return r;
    snprintf(partial, sizeof(partial), "%s.part", path);
    _cleanup_close_ int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = fd_write_full(fd, json, strlen(json));
    if (r >= 0 && rename(partial, path) < 0)
        r = -errno;
    if (r < 0)
        (void)unlink(partial);
    return r;
}

static int read_checked(const char *path, uint64_t max, char **ret) {
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = file_read_all(path, max, &text, &size);

    if (r < 0)
        return r;
    cJSON *json =
        strlen(text) == size && utf8_is_valid(text) ? cJSON_ParseWithOpts(text, NULL, true) : NULL;
    if (!json)
        return -EBADMSG;
    cJSON_Delete(json);
    *ret = TAKE_PTR(text);
    return 0;
}

bool result_file_may_be_good(int error) {
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EIO;
}

int result_file_check(const char *runtime_dir, uint64_t max) {
    _cleanup_free_ char *text = NULL;
    char path[4096];
    int r = result_file_path(path, sizeof(path), runtime_dir);

    if (r < 0)
        return r;
    r = read_checked(path, max, &text);
    if (r == -ENOENT)
        return 0;
    if (r < 0 && !result_file_may_be_good(r))
        (void)unlink(path);
    return r < 0 ? r : 1;
}

int result_file_read(const char *runtime_dir, uint64_t max, char **ret) {
    char path[4096];
    int r = result_file_path(path, sizeof(path), runtime_dir);

    return r < 0 ? r : read_checked(path, max, ret);
}
