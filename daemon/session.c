#include "daemon/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <systemd/sd-id128.h>

#include "common/cleanup.h"
#include "common/fd-io.h"

#define TOKEN_NAME "session"

static int write_token(const char *path, const char *token) {
    _cleanup_free_ char *partial = NULL;

    if (asprintf(&partial, "%s.new", path) < 0)
        return -ENOMEM;
    _cleanup_close_ int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = fd_write_full(fd, token, strlen(token));
    if (r >= 0 && rename(partial, path) < 0)
        r = -errno;
    return r;
}

static int new_token(const char *path, char **ret) {
    char text[SD_ID128_STRING_MAX];
    sd_id128_t id;
    int r = sd_id128_randomize(&id);

    if (r < 0)
        return r;
    r = write_token(path, sd_id128_to_string(id, text));
    if (r < 0)
        return r;
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

/* One that was cut off would pass for another session: it is as long as it was written. */
static int get_token(const char *runtime_dir, char **ret) {
    _cleanup_free_ char *path = NULL, *text = NULL;

    if (asprintf(&path, "%s/" TOKEN_NAME, runtime_dir) < 0)
        return -ENOMEM;
    int r = file_read_all(path, SD_ID128_STRING_MAX, &text, NULL);
    if (r == -ENOENT || r == -EFBIG || (r >= 0 && strlen(text) != SD_ID128_STRING_MAX - 1))
        return new_token(path, ret);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(text);
    return 0;
}

int session_get(const char *runtime_dir, char **ret) {
    _cleanup_free_ char *token = NULL;
    char boot[SD_ID128_STRING_MAX];
    sd_id128_t id;
    int r = sd_id128_get_boot(&id);

    if (r >= 0)
        r = get_token(runtime_dir, &token);
    if (r < 0)
        return r;
    return asprintf(ret, "%s %s", sd_id128_to_string(id, boot), token) < 0 ? -ENOMEM : 0;
}
